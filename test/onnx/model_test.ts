import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { GraphBuilder } from "../../src/onnx/graph_builder.ts";
import type { ModelProto } from "../../src/onnx/model_proto.ts";
import { readModel } from "../../src/onnx/read_model.ts";
import { writeModel } from "../../src/onnx/write_model.ts";

function exampleModel(): ModelProto {
  const graph = new GraphBuilder("example");
  const x = graph.input("x", "float32", ["batch", 3]);
  const weight = graph.initializer("weight", {
    dtype: "float16",
    shape: [3, 1],
    data: Uint16Array.of(0x3c00, 0x4000, 0),
  });
  const cast = graph.node("Cast", [weight], { to: 1 });
  const normal = graph.node("LayerNormalization", [x, cast], { axis: -1, epsilon: { float: 0.5 } });
  const reshaped = graph.node("Reshape", [normal, graph.ints([-1, 3])]);
  graph.node("Example", [graph.scalar(2.5)], { mode: "text", perm: [0, -2, 1] });
  graph.output("y", "float32", ["batch", 3], reshaped);
  const built = graph.build();
  const [first, ...rest] = built.nodes;
  const attribute = {
    type: "TENSOR",
    value: { dtype: "int64", shape: [1], data: BigInt64Array.of(-3n) },
  } as const;
  return {
    irVersion: 8,
    producerName: "test",
    producerVersion: "1",
    docString: "words",
    opsetImport: [{ domain: "", version: 17 }, { domain: "com.example", version: 1 }],
    metadataProps: new Map([["key", "välue"]]),
    graph: { ...built, nodes: [{ ...first!, attributes: new Map([["t", attribute]]) }, ...rest] },
  };
}

Deno.test("writeModel() and readModel() keep a model whole", () => {
  const model = exampleModel();
  const file = concat(writeModel(model));
  assertEquals(readModel(file), model);
});

Deno.test("readModel() refuses what is not an ONNX model", () => {
  const file = concat(writeModel(exampleModel()));
  for (const bytes of [new Uint8Array(), new Uint8Array(100), new TextEncoder().encode("{}\n")]) {
    assertThrows(() => readModel(bytes), SyntaxError, "not an ONNX file");
  }
  for (let length = 0; length < file.length; length += 3) {
    assertThrows(() => readModel(file.slice(0, length)), SyntaxError, "Cannot read the ONNX model");
  }
});
