import { assert } from "@std/assert";
import { concat } from "@std/bytes/concat";
import type { AttributeProto, GraphProto, NodeProto } from "../../../src/onnx/model_proto.ts";
import { readModel } from "../../../src/onnx/read_model.ts";
import { writeModel } from "../../../src/onnx/write_model.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { ownModelProto } from "../../../src/vit_msn/verify/own_model_proto.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { buildGraph } from "../../../src/vit_msn/graph.ts";
import { quantize } from "../../../src/vit_msn/quantize.ts";
import { isSameGraph } from "../../../src/vit_msn/verify/same_graph.ts";
import { randomWeights } from "../random_weights.ts";

const config = parseConfig({
  model_type: "vit_msn",
  hidden_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 4,
  image_size: 4,
  patch_size: 2,
});
const graph = buildGraph(config, quantize(randomWeights(config), "int8"));

/** With one node changed: the first one that `change` has something for. */
function withNode(change: (node: NodeProto) => Partial<NodeProto> | undefined): GraphProto {
  const i = graph.nodes.findIndex((node) => change(node));
  return {
    ...graph,
    nodes: graph.nodes.with(i, { ...graph.nodes[i]!, ...change(graph.nodes[i]!) }),
  };
}

function withAttribute(name: string, attribute: AttributeProto): GraphProto {
  return withNode(({ attributes }) =>
    attributes.has(name) ? { attributes: new Map(attributes).set(name, attribute) } : undefined
  );
}

Deno.test("isSameGraph() knows a graph again when it comes from a file", () => {
  const file = concat(writeModel(ownModelProto(graph, new Map())));
  assert(isSameGraph(readModel(file).graph, graph));
  assert(isSameGraph(graph, readModel(file).graph));
});

Deno.test("isSameGraph() compares no names of nodes and no weights", () => {
  assert(isSameGraph(withNode(() => ({ name: "another" })), graph));
  const more = new Map(graph.initializers).set("more", graph.initializers.get("zero_point")!);
  assert(isSameGraph({ ...graph, initializers: more }, graph));
});

const [scalar] = [...graph.initializers].find(([name]) => name.startsWith("scalar_"))!;
const [ints, { data: integers }] = [...graph.initializers].find(([name]) =>
  name.startsWith("ints_")
)!;
const other = (integers as BigInt64Array).map((x) => x + 1n);
const constants = (change: (map: Map<string, Tensor>) => void) => {
  const initializers = new Map(graph.initializers);
  change(initializers);
  return { ...graph, initializers };
};

const CHANGES: Record<string, GraphProto> = {
  "an operator": withNode(() => ({ opType: "Abs" })),
  "an operator's domain": withNode(() => ({ domain: "com.microsoft" })),
  "an operator less": { ...graph, nodes: graph.nodes.slice(0, -1) },
  "two operators' order": { ...graph, nodes: graph.nodes.toReversed() },
  "an input of an operator": withNode(({ inputs }) => ({ inputs: inputs.toReversed() })),
  "an input more": withNode(({ inputs }) => ({ inputs: [...inputs, "pixel_values"] })),
  "an output of an operator": withNode(() => ({ outputs: ["another"] })),
  "an attribute's number": withAttribute("epsilon", { type: "FLOAT", value: 1e-3 }),
  "an attribute's type": withAttribute("axis", { type: "FLOAT", value: -1 }),
  "an attribute's list": withAttribute("perm", { type: "INTS", value: [0, 1] }),
  "an attribute less": withNode(({ attributes }) =>
    attributes.size > 0 ? { attributes: new Map() } : undefined
  ),
  "an attribute more": withNode(({ attributes }) => ({
    attributes: new Map(attributes).set("alpha", { type: "FLOAT", value: 2 }),
  })),
  "a tensor for an attribute": withAttribute("axis", {
    type: "TENSOR",
    value: { dtype: "int64", shape: [], data: BigInt64Array.of(-1n) },
  }),
  "a scalar": constants((map) =>
    map.set(scalar, { dtype: "float32", shape: [], data: Float32Array.of(7) })
  ),
  "a scalar's shape": constants((map) => map.set(scalar, { ...map.get(scalar)!, shape: [1] })),
  "a list of integers": constants((map) =>
    map.set(ints, { dtype: "int64", shape: [other.length], data: other })
  ),
  "a zero point": constants((map) =>
    map.set("zero_point", { dtype: "uint8", shape: [], data: Uint8Array.of(127) })
  ),
  "a zero point's type": constants((map) =>
    map.set("zero_point", { dtype: "int8", shape: [], data: Int8Array.of(-128) })
  ),
  "a constant less": constants((map) => map.delete(scalar)),
  "a constant more": constants((map) => map.set("scalar_more", map.get(scalar)!)),
  "a size of the input": {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, shape: ["batch", 3, 8, 8] })),
  },
  "an output's name": {
    ...graph,
    outputs: graph.outputs.map((output) => ({ ...output, name: "another" })),
  },
  "an output's type": {
    ...graph,
    outputs: graph.outputs.map((output) => ({ ...output, dtype: "float16" })),
  },
  "an output less": { ...graph, outputs: graph.outputs.slice(0, 1) },
};

for (const [what, changed] of Object.entries(CHANGES)) {
  Deno.test(`isSameGraph() tells graphs apart: ${what}`, () => {
    assert(!isSameGraph(changed, graph));
    assert(!isSameGraph(graph, changed));
  });
}
