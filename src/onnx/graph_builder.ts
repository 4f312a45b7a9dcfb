import type { DataType, Tensor } from "../tensor/tensor.ts";
import type { AttributeProto, GraphProto, NodeProto, ValueInfoProto } from "./model_proto.ts";

/** An attribute's value: a number is ONNX's INT, a list INTS, `{float}` FLOAT. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };

/**
 * Builds a graph node by node. The methods that add a value return its name, so that calls nest like
 * formulas.
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
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #renamed = new Map<string, string>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Adds a graph input. A string in `shape` names a dynamic dimension. */
  input(name: string, dtype: DataType, shape: readonly (number | string)[]): string {
    this.#inputs.push({ name, dtype, shape });
    return name;
  }

  /** Makes the value `value` a graph output and renames it to `name`. */
  output(name: string, dtype: DataType, shape: readonly (number | string)[], value: string): void {
    this.#outputs.push({ name, dtype, shape });
    this.#renamed.set(value, name);
  }

  /** Adds a weight. */
  initializer(name: string, tensor: Tensor): string {
    this.#initializers.set(name, tensor);
    return name;
  }

  /** Adds a constant int64 vector; equal vectors share one initializer. */
  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.initializer(`ints_${values.join("_")}`, {
      dtype: "int64",
      shape: [values.length],
      data,
    });
  }

  /** Adds a constant float32 scalar; equal scalars share one initializer. */
  scalar(value: number): string {
    return this.initializer(`scalar_${value}`, {
      dtype: "float32",
      shape: [],
      data: Float32Array.of(value),
    });
  }

  /** Adds a node with one output and returns the output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    return this.nodes(opType, inputs, 1, attributes)[0]!;
  }

  /** Adds a node with `outputCount` outputs and returns their names. */
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

  /** Returns the graph without the nodes and initializers that no output needs. */
  build(): GraphProto {
    const needed = new Set(this.#renamed.keys());
    // Nodes are in topological order, so one pass from the end finds every needed node.
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

function toAttribute(value: AttributeValue): AttributeProto {
  if (typeof value === "string") return { type: "STRING", value };
  if (typeof value === "number") return { type: "INT", value };
  if ("float" in value) return { type: "FLOAT", value: value.float };
  return { type: "INTS", value };
}
