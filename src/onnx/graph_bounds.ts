import { elementCount, type Tensor } from "../tensor/tensor.ts";
import type { AttributeProto, GraphProto, ModelProto, NodeProto } from "./model_proto.ts";
import { OPERATORS } from "./operators.ts";
import { type Call, type Made, MAX_DATA, UnknownSize, type Value } from "./value_size.ts";

/**
 * The maximum number of elements computed from constants alone, in addition to four times the weights
 * (which may be transposed and dequantized). onnxruntime computes them when it loads a model, and keeps
 * them. The masks and shapes of a ViT have a few thousand. 64 MB in float32.
 */
export const MAX_CONSTANT_ELEMENTS: number = 2 ** 24;

/**
 * The maximum number of elements that are live at a time for one image, in addition to four times the
 * weights. The largest known values, attention scores of 3,137 tokens in 6 heads, have 59 million, and
 * three of them are live at a time. 512 MB in float32.
 */
export const MAX_IMAGE_ELEMENTS: number = 2 ** 27;

/** The image size, [height, width], that is assumed if neither the graph nor the config states one. */
const DEFAULT_SIZE = [224, 224] as const;

/**
 * Bounds a graph's memory by inferring the shapes of all values from the shapes of the inputs. It
 * supports the operators in exported ViTs, and rejects a graph with another operator or with a shape
 * that depends on the pixels. It keeps only names, attributes and sizes, no views of the file.
 */
export class GraphBounds {
  readonly #opset: number;
  readonly #nodes: readonly NodeProto[];
  /** Initializers and constants. */
  readonly #given = new Map<string, Value>();
  readonly #inputs: GraphProto["inputs"];
  /** The index of the last node that reads each value. */
  readonly #lastUses = new Map<string, number>();
  readonly #weightElements: number;
  readonly #imageSize: readonly [number, number];
  #checked = "";

  /**
   * Analyses a graph and checks it for one image.
   *
   * @param imageSize [height, width] in pixels, for dimensions that the graph does not fix.
   * @throws {SyntaxError} if the graph is rejected; the message names the operator and the reason.
   */
  constructor(
    { graph, opsetImport }: Pick<ModelProto, "graph" | "opsetImport">,
    imageSize: readonly [number, number] = DEFAULT_SIZE,
  ) {
    this.#imageSize = imageSize;
    this.#opset = opsetImport.find(({ domain }) => isStandardDomain(domain))?.version ?? 1;
    for (const [name, tensor] of graph.initializers) this.#given.set(name, valueOf(tensor));
    for (const [name, shape] of graph.otherShapes ?? []) {
      this.#given.set(name, { shape, isConstant: true });
    }
    let weightElements = 0;
    for (const { shape } of this.#given.values()) weightElements += elementCount(shape);
    this.#weightElements = weightElements;
    this.#inputs = graph.inputs.filter(({ name }) => !this.#given.has(name));
    const nodes = graph.nodes.flatMap((node) => {
      if (node.opType !== "Constant" || !isStandardDomain(node.domain)) {
        return [withoutTensors(node)];
      }
      const [output] = node.outputs;
      if (output === undefined || this.#given.has(output)) {
        refuse(node, "its output is missing or a duplicate");
      }
      this.#given.set(output, constantOf(node));
      return [];
    });
    this.#nodes = inOrder(nodes, [...this.#given.keys(), ...this.#inputs.map(({ name }) => name)]);
    for (const [i, { inputs }] of this.#nodes.entries()) {
      for (const name of inputs) this.#lastUses.set(name, i);
    }
    for (const { name } of graph.outputs) this.#lastUses.set(name, Infinity);
    this.check(new Map());
  }

  /**
   * Checks the graph's memory for inputs of these shapes.
   *
   * @param shapes by input name; a missing input has the graph's own shape, with one image.
   * @throws {SyntaxError} if the graph needs too much memory for these inputs.
   */
  check(shapes: ReadonlyMap<string, readonly number[]>): void {
    const inputs = this.#inputs.map(({ name, shape }) =>
      [
        name,
        shapes.get(name) ?? shape.map((size, axis) => {
          if (typeof size === "number" && size > 0) return size;
          return shape.length === 4 ? [1, 3, ...this.#imageSize][axis]! : 1;
        }),
      ] as const
    );
    const key = JSON.stringify(inputs);
    if (key === this.#checked) return;
    const values = new Map(this.#given);
    let images = 1;
    for (const [name, shape] of inputs) {
      values.set(name, { shape, isConstant: false });
      images = Math.max(images, shape[0] ?? 1);
    }
    this.#run(values, images);
    this.#checked = key;
  }

  #run(values: Map<string, Value>, images: number): void {
    const maxConstant = MAX_CONSTANT_ELEMENTS + 4 * this.#weightElements;
    const maxLive = images * MAX_IMAGE_ELEMENTS + 4 * this.#weightElements;
    let constant = 0;
    let live = 0;
    for (const { shape, isConstant } of values.values()) {
      if (!isConstant) live += elementCount(shape);
    }
    for (const [i, node] of this.#nodes.entries()) {
      const inputs = node.inputs.map((name) => {
        if (name === "") return undefined;
        return values.get(name) ?? refuse(node, `its input "${name}" does not exist`);
      });
      const isConstant = SHAPES_OF.has(node.opType) ||
        inputs.every((input) => !input || input.isConstant);
      const made = makes({ node, inputs, opset: this.#opset });
      let workspace = 0;
      node.outputs.forEach((name, output) => {
        if (name === "") return;
        const { shape, data, isFloat, workspace: more = 0 } = made[output] ??
          refuse(node, `it has no output ${output}`);
        if (values.has(name)) refuse(node, `its output "${name}" exists already`);
        const count = elementCount(shape);
        if (isConstant) constant += count;
        else live += count;
        workspace += more;
        values.set(name, {
          shape,
          isConstant,
          ...(isConstant && data && data.length <= MAX_DATA
            ? { data, isFloat: isFloat ?? false }
            : {}),
        });
      });
      const sizes = () => node.outputs.map((name) => `[${values.get(name)?.shape}]`).join();
      if (!(constant <= maxConstant)) {
        refuse(node, `with ${sizes()}, the graph has more than ${maxConstant} constant elements`);
      }
      if (!(live + workspace <= maxLive)) {
        refuse(node, `with ${sizes()}, the graph has more than ${maxLive} live elements`);
      }
      // Values without further readers are freed.
      for (const name of new Set([...node.inputs, ...node.outputs])) {
        const value = values.get(name);
        if (value && !value.isConstant && (this.#lastUses.get(name) ?? -1) <= i) {
          live -= elementCount(value.shape);
        }
      }
    }
  }
}

/**
 * Sorts the nodes topologically, because not every tool writes them in order and onnxruntime does not
 * require it.
 */
function inOrder(nodes: readonly NodeProto[], given: readonly string[]): NodeProto[] {
  const known = new Set(given);
  const ordered: NodeProto[] = [];
  /** The nodes that wait for each missing value. */
  const waiting = new Map<string, NodeProto[]>();
  const missingOf = ({ inputs }: NodeProto) =>
    inputs.find((name) => name !== "" && !known.has(name));
  for (const node of nodes) {
    const ready = [node];
    for (let next; (next = ready.pop());) {
      const missing = missingOf(next);
      if (missing !== undefined) {
        if (!waiting.has(missing)) waiting.set(missing, []);
        waiting.get(missing)!.push(next);
        continue;
      }
      ordered.push(next);
      for (const name of next.outputs) {
        known.add(name);
        ready.push(...waiting.get(name)?.toReversed() ?? []);
        waiting.delete(name);
      }
    }
  }
  for (const [name, [node]] of waiting) refuse(node!, `no node computes its input "${name}"`);
  return ordered;
}

/** The outputs of these operators do not depend on the pixels. */
const SHAPES_OF = new Set(["Shape", "Size"]);

/** Describes an initializer or a constant. */
function valueOf(tensor: Tensor): Value {
  const { shape, dtype } = tensor;
  const isFloat = dtype === "float32";
  const isKnown = isFloat || dtype === "int64" || dtype === "int32" || dtype === "bool";
  if (!isKnown || elementCount(shape) > MAX_DATA) return { shape, isConstant: true };
  const data = Array.from(tensor.data as ArrayLike<number | bigint>, Number);
  return { shape, isConstant: true, data, isFloat };
}

function constantOf(node: NodeProto): Value {
  const attributes = [...node.attributes].filter(([name]) => name.startsWith("value"));
  const attribute = attributes[0]?.[1];
  switch (attributes.length === 1 ? attribute?.type : undefined) {
    case "TENSOR":
      return valueOf(attribute!.value as Tensor);
    case "INT":
    case "FLOAT":
      return {
        shape: [],
        isConstant: true,
        data: [attribute!.value as number],
        isFloat: attribute!.type === "FLOAT",
      };
    case "INTS":
    case "FLOATS": {
      const data = attribute!.value as readonly number[];
      const isFloat = attribute!.type === "FLOATS";
      return { shape: [data.length], isConstant: true, data, isFloat };
    }
    default:
      return refuse(node, "the type of its value is not supported");
  }
}

/** Removes views of the file from a node: a tensor attribute is replaced by its first element. */
function withoutTensors(node: NodeProto): NodeProto {
  const attributes = [...node.attributes].map(([name, attribute]): [string, AttributeProto] => {
    if (attribute.type !== "TENSOR") return [name, attribute];
    const isFloat = attribute.value.dtype !== "int64" && attribute.value.dtype !== "int32";
    const value = Number(attribute.value.data[0]);
    return [name, isFloat ? { type: "FLOAT", value } : { type: "INT", value }];
  });
  return { ...node, attributes: new Map(attributes) };
}

function makes(call: Call): readonly Made[] {
  const { node, inputs } = call;
  const operators = OPERATORS[isStandardDomain(node.domain) ? "" : node.domain];
  const operator = operators && Object.hasOwn(operators, node.opType) && operators[node.opType];
  if (!operator) {
    return refuse(node, "it is not one of the supported ViT operators");
  }
  let made: readonly Made[] | undefined;
  try {
    made = operator(call);
  } catch (error) {
    if (!(error instanceof UnknownSize)) throw error;
  }
  if (!made || made.some(({ shape }) => shape.some((size) => !(size >= 0)))) {
    const shapes = inputs.map((input) => input ? `[${input.shape}]` : "nothing").join();
    return refuse(
      node,
      `the size of its output for the inputs ${shapes} cannot be determined without running it`,
    );
  }
  return made;
}

function isStandardDomain(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

function refuse(node: NodeProto, reason: string): never {
  const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
  throw new SyntaxError(
    `Cannot use the ONNX model: the operator ${operator} "${node.name}" is refused: ${reason}`,
  );
}
