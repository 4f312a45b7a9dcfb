import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { loadModel } from "../../src/model/load_model.ts";
import type { GraphProto, ModelProto, NodeProto } from "../../src/onnx/model_proto.ts";
import { readModel } from "../../src/onnx/read_model.ts";
import { writeModel } from "../../src/onnx/write_model.ts";
import { autoRuntime } from "../../src/runtime/auto.ts";
import { onnxruntimeWasm } from "../../src/runtime/onnxruntime/wasm.ts";
import type { Runtime, Session } from "../../src/runtime/runtime.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";
import { modelFile, ODD, randomTensor } from "./odd_models.ts";

const SETTINGS = { ...ODD, hidden_act: "relu" };
const file = modelFile(SETTINGS);
const quantized = modelFile(SETTINGS, "int8");
const image = { pixel_values: randomTensor(1, 1, 3, 8, 8) };

const QUERY = "encoder.layer.1.attention.attention.query.weight";
const SCALE = `${QUERY}_scale`;

function changed(
  bytes: Uint8Array,
  change: (model: ModelProto) => Partial<ModelProto>,
): Uint8Array {
  const model = readModel(bytes.slice());
  return concat(writeModel({ ...model, ...change(model) }));
}

function withGraph(bytes: Uint8Array, change: (graph: GraphProto) => Partial<GraphProto>) {
  return changed(bytes, ({ graph }) => ({ graph: { ...graph, ...change(graph) } }));
}

function withWeight(bytes: Uint8Array, name: string, change: (tensor: Tensor) => Tensor) {
  return withGraph(bytes, ({ initializers }) => ({
    initializers: new Map(initializers).set(name, change(initializers.get(name)!)),
  }));
}

function withoutWeight(bytes: Uint8Array, name: string) {
  return withGraph(bytes, ({ initializers }) => ({
    initializers: new Map([...initializers].filter(([other]) => other !== name)),
  }));
}

/** With some operators changed. */
function withNodes(opType: string, change: (node: NodeProto) => NodeProto) {
  return withGraph(file, ({ nodes }) => ({
    nodes: nodes.map((node) => node.opType === opType ? change(node) : node),
  }));
}

function withConfig(settings: Record<string, unknown>) {
  return changed(file, ({ metadataProps }) => ({
    metadataProps: new Map(metadataProps).set(
      "config.json",
      JSON.stringify({ model_type: "vit_msn", ...SETTINGS, ...settings }),
    ),
  }));
}

function float32(shape: number[]): Tensor {
  return { dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b)) };
}

/** The documents beside a file that carries none. */
const sidecars = { config: { model_type: "vit_msn", ...SETTINGS }, preprocessorConfig: {} };

async function sessionOf(runtime: Runtime, bytes: Uint8Array): Promise<Session> {
  return await runtime.createSession(readModelFile(bytes, sidecars));
}

const WRONG_FILES: Record<string, [bytes: Uint8Array, message: string]> = {
  "a weight of another shape": [
    withWeight(file, QUERY, () => float32([12, 11])),
    `${QUERY} is float32 [12,11], not`,
  ],
  "a weight with its sides exchanged": [
    withWeight(file, "encoder.layer.0.output.dense.weight", () => float32([9, 12])),
    "is float32 [9,12], not",
  ],
  "a weight of another type": [
    withWeight(file, QUERY, ({ shape }) => ({ dtype: "int32", shape, data: new Int32Array(144) })),
    `${QUERY} is int32 [12,12], not float32 or float16 or int8 [12,12]`,
  ],
  "an int8 matrix outside of the blocks": [
    withWeight(file, "classifier.weight", ({ shape }) => ({
      dtype: "int8",
      shape,
      data: new Int8Array(36),
    })),
    "classifier.weight is int8",
  ],
  "a missing weight": [withoutWeight(file, "layernorm.bias"), "it has no layernorm.bias"],
  "missing scales": [withoutWeight(quantized, SCALE), `it has no ${SCALE}`],
  "scales of another length": [
    withWeight(quantized, SCALE, () => float32([11])),
    `${SCALE} is float32 [11], not float32 [12]`,
  ],
  "more layers in the config than in the file": [
    withConfig({ num_hidden_layers: 3 }),
    "it has no encoder.layer.2.layernorm_before.weight",
  ],
  "fewer layers in the config": [withConfig({ num_hidden_layers: 1 }), "its graph is not the one"],
  "other heads in the config": [withConfig({ num_attention_heads: 3 }), "its graph is not the one"],
  "another activation in the config": [
    withConfig({ hidden_act: "silu" }),
    "its graph is not the one",
  ],
  "a config that is none": [withConfig({ hidden_size: -1 }), "hidden_size is -1"],
  "no config": [changed(file, () => ({ metadataProps: new Map() })), "another tool made it"],
};

for (const [what, [bytes, message]] of Object.entries(WRONG_FILES)) {
  Deno.test(`The SIMD runtime refuses a file: ${what}`, async () => {
    await assertRejects(() => sessionOf(simdRuntime(), bytes), TypeError, message);
  });
}

for (const number of [-128, -65, 64, 127]) {
  Deno.test(`The SIMD runtime refuses int8 weights of more than seven bits: ${number}`, async () => {
    for (const at of [0, 77, 143]) {
      const bytes = withWeight(quantized, QUERY, ({ shape, data }) => {
        const weights = (data as Int8Array).slice();
        weights[at] = number;
        return { dtype: "int8", shape, data: weights };
      });
      for (const build of ["relaxed", "plain"] as const) {
        await assertRejects(
          () => sessionOf(simdRuntime({ build }), bytes),
          RangeError,
          `${QUERY}: it has int8 numbers of more than seven bits`,
        );
      }
    }
  });
}

Deno.test("The SIMD runtime refuses a file that is cut off", async () => {
  for (let length = 0; length < file.length; length += 499) {
    await assertRejects(() => sessionOf(simdRuntime(), file.slice(0, length)), SyntaxError);
  }
});

const OTHER_GRAPHS = {
  "another epsilon": withNodes("LayerNormalization", (node) => ({
    ...node,
    attributes: new Map(node.attributes).set("epsilon", { type: "FLOAT", value: 0.5 }),
  })),
  "another activation": withNodes("Relu", (node) => ({ ...node, opType: "Sigmoid" })),
  "another scale of scores": withGraph(file, ({ initializers }) => ({
    initializers: new Map(
      [...initializers].map(([name, tensor]) =>
        name.startsWith("scalar_")
          ? [name, { dtype: "float32", shape: tensor.shape, data: Float32Array.of(2) }]
          : [name, tensor]
      ),
    ),
  })),
};

for (const [what, bytes] of Object.entries(OTHER_GRAPHS)) {
  Deno.test(`A graph that was changed runs as it is: ${what}`, async () => {
    await assertRejects(() => sessionOf(simdRuntime(), bytes), TypeError, "its graph is not");
    await assertRejects(
      () => sessionOf(autoRuntime({ ort: ortOfBytes, threads: 2 }), bytes),
      TypeError,
      "runs in one thread",
    );
    await using auto = await loadModel(bytes, { runtime: autoRuntime({ ort: ortOfBytes }) });
    await using reference = await loadModel(bytes, { runtime: onnxruntimeWasm(ortOfBytes) });
    await using unchanged = await loadModel(file);
    const answer = await auto.forward(image);
    assertEquals(answer, await reference.forward(image));
    const other = (await unchanged.forward(image)).get("logits")!.data as Float32Array;
    assert(answer.get("logits")!.data.some((x, i) => Math.abs(Number(x) - other[i]!) > 1e-3));
  });
}

Deno.test("The default runtime does not hide why a damaged file is none", async () => {
  await assertRejects(
    () => sessionOf(autoRuntime({ ort: ortOfBytes }), file.slice(0, 999)),
    SyntaxError,
  );
  const [missing] = WRONG_FILES["a missing weight"]!;
  await assertRejects(() => sessionOf(autoRuntime({ ort: ortOfBytes }), missing), Error);
});

const HALVES = { "∞": 0x7c00, "-∞": 0xfc00, NaN: 0x7e00 };
const MATRICES = [
  "embeddings.patch_embeddings.projection.weight",
  QUERY,
  "encoder.layer.1.intermediate.dense.weight",
  "classifier.weight",
];
const halves = modelFile(SETTINGS, "f16");

for (const [number, bits] of Object.entries(HALVES)) {
  Deno.test(`An f16 weight of ${number} makes the same outputs not finite`, async () => {
    for (const name of MATRICES) {
      const bytes = withWeight(halves, name, ({ shape, data }) => {
        const weights = (data as Uint16Array).slice();
        weights[17] = bits;
        return { dtype: "float16", shape, data: weights };
      });
      await using reference = await loadModel(bytes, { runtime: onnxruntimeWasm(ortOfBytes) });
      const expected = await reference.forward(image);
      assert([...expected.values()].some(({ data }) => finite(data).includes(false)), name);
      for (const build of ["relaxed", "plain"] as const) {
        await using model = await loadModel(bytes, { runtime: simdRuntime({ build }) });
        for (const [output, { data }] of await model.forward(image)) {
          assertEquals(finite(data), finite(expected.get(output)!.data), `${name} ${output}`);
        }
      }
    }
  });
}

function finite(data: Tensor["data"]): boolean[] {
  return Array.from(data as Float32Array, Number.isFinite);
}
