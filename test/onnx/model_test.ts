import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { PbfWriter } from "pbf";
import { GraphBuilder } from "../../src/onnx/graph_builder.ts";
import type { ModelProto } from "../../src/onnx/model_proto.ts";
import { MAX_PARTS, readModel } from "../../src/onnx/read_model.ts";
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

/** A file of one initializer, as other writers may make it. */
function fileWith(write: (tensor: PbfWriter) => void): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, 8); // ir_version
  pbf.writeMessage(8, (_, opset) => opset.writeVarintField(2, 17), undefined);
  pbf.writeMessage(7, (_, graph) => {
    graph.writeMessage(5, (_, tensor) => {
      tensor.writeStringField(8, "x");
      write(tensor);
    }, undefined);
  }, undefined);
  return pbf.finish();
}

Deno.test("readModel() reads tensors that are lists of numbers", () => {
  const floats = fileWith((tensor) => {
    tensor.writePackedVarint(1, [2]);
    tensor.writeVarintField(2, 1);
    tensor.writePackedFloat(4, [1.5, -2]);
  });
  assertEquals(readModel(floats).graph.initializers.get("x")?.data, Float32Array.of(1.5, -2));
  const integers = (type: number, field: number) =>
    readModel(fileWith((tensor) => {
      tensor.writePackedVarint(1, [2]);
      tensor.writeVarintField(2, type);
      tensor.writePackedVarint(field, [3, -4]);
    })).graph.initializers.get("x")?.data;
  assertEquals(integers(6, 5), Int32Array.of(3, -4));
  assertEquals(integers(7, 7), BigInt64Array.of(3n, -4n));
});

Deno.test("readModel() refuses tensors that are elsewhere, too short or of no shape", () => {
  const refuses = (message: string, write: (tensor: PbfWriter) => void) =>
    assertThrows(() => readModel(fileWith(write)), SyntaxError, message);
  refuses("in another file", (tensor) => {
    tensor.writeVarintField(2, 1);
    tensor.writeVarintField(14, 1);
  });
  refuses('"x" is cut off', (tensor) => {
    tensor.writePackedVarint(1, [3]);
    tensor.writeVarintField(2, 1);
    tensor.writePackedFloat(4, [1.5, -2]);
  });
  refuses('shape of "x" is [-2]', (tensor) => {
    tensor.writePackedVarint(1, [-2]);
    tensor.writeVarintField(2, 1);
  });
  // A list of strings is none of our business.
  const strings = readModel(fileWith((tensor) => tensor.writeVarintField(2, 8)));
  assertEquals(strings.graph.initializers.size, 0);
});

Deno.test("readModel() takes no longer than the file is long", () => {
  // Two hundred thousand opsets; read one by one into a new list, they would take hours.
  const file = new Uint8Array(400_000).map((_, i) => i % 2 === 0 ? 0x42 : 0);
  assertThrows(() => readModel(file), SyntaxError, "no graph");
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

/** A file with a graph that is made of these bytes. */
function fileOf(graph: Uint8Array, write: (model: PbfWriter) => void = () => {}): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, 8);
  pbf.writeMessage(8, (_, opset) => opset.writeVarintField(2, 17), undefined);
  pbf.writeBytesField(7, graph);
  write(pbf);
  return pbf.finish();
}

Deno.test("readModel() reads a file of so many parts, and refuses one more", () => {
  const emptyNodes = (count: number) =>
    Uint8Array.from({ length: 2 * count }, (_, i) => i % 2 === 0 ? 0x0a : 0);
  // The opset is a part, too.
  assertEquals(readModel(fileOf(emptyNodes(MAX_PARTS - 1))).graph.nodes.length, MAX_PARTS - 1);
  assertThrows(
    () => readModel(fileOf(emptyNodes(MAX_PARTS))),
    SyntaxError,
    `it has more than ${MAX_PARTS} parts`,
  );
});

Deno.test("readModel() refuses lists of ten megabytes before it reads them", () => {
  const list = new Uint8Array(10_000_000).fill(1);
  for (const tag of [7, 8]) {
    const graph = new PbfWriter();
    graph.writeMessage(1, (_, node) => {
      node.writeMessage(5, (_, attribute) => attribute.writeBytesField(tag, list), undefined);
    }, undefined);
    assertThrows(() => readModel(fileOf(graph.finish())), SyntaxError, "parts");
  }
  assertThrows(
    () => readModel(fileWith((tensor) => tensor.writeBytesField(1, list))),
    SyntaxError,
    "parts",
  );
});

Deno.test("readModel() refuses what would be more than the file shows", () => {
  const half = (dims: readonly number[]) =>
    fileWith((tensor) => {
      tensor.writePackedVarint(1, [...dims]);
      tensor.writeVarintField(2, 10); // float16, without data
    });
  assertThrows(() => readModel(half([20_000, 20_000])), SyntaxError, "is cut off");
  assertThrows(() => readModel(half([2 ** 32, 2 ** 32])), SyntaxError, "is cut off");
  const attribute = (tag: number) => {
    const graph = new PbfWriter();
    graph.writeMessage(1, (_, node) => {
      node.writeMessage(
        5,
        (_, attribute) => attribute.writeBytesField(tag, new Uint8Array()),
        undefined,
      );
    }, undefined);
    return fileOf(graph.finish());
  };
  for (const tag of [6, 11, 22, 23]) {
    assertThrows(() => readModel(attribute(tag)), SyntaxError, "sub-graphs");
  }
  const sparse = new PbfWriter();
  sparse.writeBytesField(15, new Uint8Array());
  assertThrows(() => readModel(fileOf(sparse.finish())), SyntaxError, "sparse");
  const none = new Uint8Array();
  assertThrows(
    () => readModel(fileOf(none, (model) => model.writeBytesField(25, none))),
    SyntaxError,
    "functions",
  );
  assertThrows(
    () => readModel(fileOf(none, (model) => model.writeBytesField(7, none))),
    SyntaxError,
    "two graphs",
  );
  const twice = new PbfWriter();
  for (let i = 0; i < 2; i++) {
    twice.writeMessage(5, (_, tensor) => tensor.writeStringField(8, "x"), undefined);
  }
  assertThrows(() => readModel(fileOf(twice.finish())), SyntaxError, 'two weights "x"');
});
