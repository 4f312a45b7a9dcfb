import type { DataType, Tensor } from "../tensor/tensor.ts";
import type { Attribute, GraphProto, NodeProto, ValueInfo } from "./model_proto.ts";

/** An attribute's value as it is written in code: an integral number is ONNX's INT. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };

/**
 * Builds a graph node by node. Every method returns the name of the value that it made, so that
 * calls nest as the formulas do.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { GraphBuilder } from "./graph_builder.ts";
 *
 * const graph = new GraphBuilder("twice");
 * const x = graph.input("x", "float32", ["n"]);
 * graph.output("y", "float32", ["n"], graph.node("Add", [x, x]));
 * assertEquals(graph.build().nodes[0]?.outputs, ["y"]);
 * ```
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: NodeProto[] = [];
  readonly #initializers = new Map<string, Tensor>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #renamed = new Map<string, string>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Adds an input of the graph. A string in `shape` names a size that is free. */
  input(name: string, dtype: DataType, shape: readonly (number | string)[]): string {
    this.#inputs.push({ name, dtype, shape });
    return name;
  }

  /** Makes a node's value an output of the graph, under that name. */
  output(name: string, dtype: DataType, shape: readonly (number | string)[], value: string): void {
    this.#outputs.push({ name, dtype, shape });
    this.#renamed.set(value, name);
  }

  /** Adds a weight. */
  initializer(name: string, tensor: Tensor): string {
    this.#initializers.set(name, tensor);
    return name;
  }

  /** Adds a constant list of integers, or takes the same one that is there already. */
  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.initializer(`ints_${values.join("_")}`, {
      dtype: "int64",
      shape: [values.length],
      data,
    });
  }

  /** Adds a constant scalar, or takes the same one that is there already. */
  scalar(value: number): string {
    return this.initializer(`scalar_${value}`, {
      dtype: "float32",
      shape: [],
      data: Float32Array.of(value),
    });
  }

  /** Adds an operator with one output and returns that value's name. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    return this.nodes(opType, inputs, 1, attributes)[0]!;
  }

  /** Adds an operator with some outputs and returns those values' names. */
  nodes(
    opType: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string[] {
    const name = `${opType}_${this.#nodes.length}`;
    const outputs = Array.from({ length: outputCount }, (_, i) => i === 0 ? name : `${name}_${i}`);
    this.#nodes.push({
      name,
      opType,
      domain: "",
      inputs,
      outputs,
      attributes: new Map(
        Object.entries(attributes).map(([key, value]) => [key, toAttribute(value)]),
      ),
    });
    return outputs;
  }

  /** The graph, without the nodes and weights that no output needs. */
  build(): GraphProto {
    const needed = new Set(this.#renamed.keys());
    // Nodes come after what they read, so that one pass from the end finds all that is needed.
    const nodes = this.#nodes.toReversed().filter((node) => {
      if (!node.outputs.some((name) => needed.has(name))) return false;
      node.inputs.forEach((name) => needed.add(name));
      return true;
    }).reverse();
    const rename = (name: string) => this.#renamed.get(name) ?? name;
    return {
      name: this.#name,
      nodes: nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
      initializers: new Map([...this.#initializers].filter(([name]) => needed.has(name))),
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }
}

function toAttribute(value: AttributeValue): Attribute {
  if (typeof value === "string") return { type: "STRING", value };
  if (typeof value === "number") return { type: "INT", value };
  if ("float" in value) return { type: "FLOAT", value: value.float };
  return { type: "INTS", value };
}
