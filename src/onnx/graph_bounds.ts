import { elementCount, type Tensor } from "../tensor/tensor.ts";
import type { Attribute, GraphProto, ModelProto, NodeProto } from "./model_proto.ts";
import { OPERATORS } from "./operators.ts";

/** What is known of a value before the graph runs. */
export interface Value {
  /** Its sizes, or the largest that they can be. */
  readonly shape: readonly number[];
  /** The numbers of a small value that does not depend on the pixels, such as a shape. */
  readonly data?: readonly number[];
  /** Whether these numbers are float32, not integers. */
  readonly isFloat?: boolean;
  /** Whether it is the same for all pixels. */
  readonly isConstant: boolean;
}

/** What an operator makes. */
export interface Made {
  readonly shape: readonly number[];
  readonly data?: readonly number[] | undefined;
  readonly isFloat?: boolean | undefined;
  /** Elements of memory that it takes while it computes. */
  readonly workspace?: number;
}

/** A node and what is known of its inputs; one that is left out is `undefined`. */
export interface Call {
  readonly node: NodeProto;
  readonly inputs: readonly (Value | undefined)[];
  /** The version of ONNX's own operators. */
  readonly opset: number;
}

/**
 * The most elements of all that a graph makes of constants alone, beside four times its weights:
 * onnxruntime computes it when it loads the model, and keeps it. The masks and shapes of a ViT have a
 * few thousand; weights may be transposed and dequantized. 64 MB in float32.
 */
export const MAX_CONSTANT_ELEMENTS = 2 ** 24;

/**
 * The most elements that a graph holds at a time for one image, beside four times its weights. The
 * largest that are known, the attention scores of 3,137 tokens in 6 heads, have 59 million, and three
 * of them are there at a time. 512 MB in float32.
 */
export const MAX_IMAGE_ELEMENTS = 2 ** 27;

/** The size of an image where neither graph nor config says it, until there is one. */
const DEFAULT_SIZE = [224, 224] as const;

/** Values of more elements are no shapes. */
export const MAX_DATA = 4096;

/**
 * What a graph takes of memory, as far as its operators and the sizes of its inputs say. It knows the
 * operators that ViTs are exported with; a graph with any other is refused, and one in which a size
 * depends on the pixels. Of the file it keeps nothing but names, attributes and sizes.
 */
export class GraphBounds {
  readonly #opset: number;
  readonly #nodes: readonly NodeProto[];
  /** Weights and constants. */
  readonly #given = new Map<string, Value>();
  readonly #inputs: GraphProto["inputs"];
  /** The last node that reads a value. */
  readonly #lastUses = new Map<string, number>();
  readonly #weightElements: number;
  readonly #imageSize: readonly [number, number];
  #checked = "";

  /**
   * Reads a graph, and checks it for one image.
   *
   * @param imageSize [height, width] where the graph does not fix it.
   * @throws {SyntaxError} if the graph is refused; the message names the operator, and says why.
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
      if (output === undefined || this.#given.has(output)) refuse(node, "its output is none");
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
   * Refuses the graph for inputs of these shapes.
   *
   * @param shapes by the inputs' names; of those that are missing, the graph's own sizes, and one image.
   * @throws {SyntaxError} if the graph takes too much memory for them.
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
        return values.get(name) ?? refuse(node, `its input "${name}" is not there`);
      });
      const isConstant = SHAPES_OF.has(node.opType) ||
        inputs.every((input) => !input || input.isConstant);
      const made = makes({ node, inputs, opset: this.#opset });
      let workspace = 0;
      node.outputs.forEach((name, output) => {
        if (name === "") return;
        const { shape, data, isFloat, workspace: more = 0 } = made[output] ??
          refuse(node, `it has no output ${output}`);
        if (values.has(name)) refuse(node, `its output "${name}" is there already`);
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
        refuse(node, `with ${sizes()}, the graph makes more than ${maxConstant} constant numbers`);
      }
      if (!(live + workspace <= maxLive)) {
        refuse(node, `with ${sizes()}, the graph holds more than ${maxLive} numbers at a time`);
      }
      // What no node reads from here on is given back.
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
 * The nodes in an order in which each comes after those whose values it reads. Not every tool writes them
 * so, and onnxruntime does not ask for it.
 */
function inOrder(nodes: readonly NodeProto[], given: readonly string[]): NodeProto[] {
  const known = new Set(given);
  const ordered: NodeProto[] = [];
  /** The nodes that wait for a value. */
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
  for (const [name, [node]] of waiting) refuse(node!, `its input "${name}" is made by no node`);
  return ordered;
}

/** What they make does not depend on the pixels. */
const SHAPES_OF = new Set(["Shape", "Size"]);

/** A graph's value that is in the file. */
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
      return refuse(node, "its value is of no type that a ViT needs");
  }
}

/** The node without views of the file; of a tensor the first number is kept. */
function withoutTensors(node: NodeProto): NodeProto {
  const attributes = [...node.attributes].map(([name, attribute]): [string, Attribute] => {
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
    return refuse(node, "it is none of the operators that a ViT is made of");
  }
  let made: readonly Made[] | undefined;
  try {
    made = operator(call);
  } catch (error) {
    if (!(error instanceof UnknownSize)) throw error;
  }
  if (!made || made.some(({ shape }) => shape.some((size) => !(size >= 0)))) {
    const shapes = inputs.map((input) => input ? `[${input.shape}]` : "nothing").join();
    return refuse(node, `the size of what it makes of ${shapes} cannot be told without running it`);
  }
  return made;
}

/** Thrown by an operator whose output may have any size. */
export class UnknownSize extends Error {}

function isStandardDomain(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

function refuse(node: NodeProto, reason: string): never {
  const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
  throw new SyntaxError(
    `Cannot use the ONNX model: the operator ${operator} "${node.name}" is refused: ${reason}`,
  );
}
