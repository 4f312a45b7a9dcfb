import { autoRuntime } from "../../src/runtime/auto.ts";
import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert, assertRejects } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { loadModel } from "../../src/model/load_model.ts";
import { readModel } from "../../src/onnx/read_model.ts";
import { writeModel } from "../../src/onnx/write_model.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import { onnxruntimeWasm } from "../../src/runtime/onnxruntime/wasm.ts";
import { maxDifference } from "../golden/golden.ts";
import { goldenModel } from "../golden/model.ts";

const FOLDER = new URL("../golden/exports/", import.meta.url);
const EXPORTS = [
  "model",
  "model_fp16",
  "model_optimized",
  "model_q4",
  "model_qdq",
  "model_quantized",
];

const read = (name: string) => Deno.readFileSync(new URL(name, FOLDER));
const json = (name: string) => JSON.parse(new TextDecoder().decode(read(name)));

const config = json("config.json");
const preprocessorConfig = { size: { height: 8, width: 8 } };
const runtime = onnxruntimeWasm(ortOfBytes);

/** By how much 4 and 8 bits may change a logit of about 1. */
const TOLERANCE = { model: 1e-5, model_optimized: 1e-5, model_fp16: 1e-2 } as Record<
  string,
  number
>;

for (const name of EXPORTS) {
  Deno.test(`a file of other tools gives PyTorch's logits: ${name}`, async () => {
    const sidecars = { config, preprocessorConfig };
    await using model = await loadModel(read(`${name}.onnx`), { ...sidecars, runtime });
    const data = Float32Array.from({ length: 3 * 8 * 8 }, (_, i) => i % 17 / 8 - 1);
    const images = { dtype: "float32", shape: [2, 3, 8, 8], data: new Float32Array(384) } as const;
    images.data.set(data);
    images.data.set(data, data.length);
    const { data: logits } = (await model.forward({ pixel_values: images })).get("logits")!;
    const expected = json("expected.json").logits as number[];
    const twice = Float32Array.from([...expected, ...expected]);
    const difference = maxDifference(logits as Float32Array, twice);
    console.log(`largest difference ${difference.toExponential(1)}`);
    assert(difference <= (TOLERANCE[name] ?? 0.2));
  });
}

const CONTRADICTIONS: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ patch_size: 8 }, "patch_size is [8,8] in its config, but [4,4] in its graph"],
  [{ patch_size: [4, 2] }, "patch_size is [4,2] in its config, but [4,4] in its graph"],
  [{ hidden_size: 64 }, "hidden_size is 64 in its config, but 32 in its graph"],
  [{ num_channels: 1 }, "num_channels is 1 in its config, but 3 in its graph"],
  [{ image_size: 16 }, "give 17 tokens, but its graph has 5 position embeddings"],
  [{ id2label: { 0: "a" } }, "num_labels is 1 in its config, but 3 in its graph"],
];

for (const name of EXPORTS) {
  Deno.test(`a config that contradicts the graph is refused: ${name}`, async () => {
    for (const [change, message] of CONTRADICTIONS) {
      const sidecars = { config: { ...config, ...change }, preprocessorConfig };
      await assertRejects(
        () => loadModel(read(`${name}.onnx`), { ...sidecars, runtime }),
        TypeError,
        message,
      );
    }
  });
}

Deno.test("a config that contradicts sizes of the graph's inputs and outputs is refused", async () => {
  const model = readModel(read("model.onnx"));
  const { graph } = model;
  const fixed = (shape: readonly number[]) => {
    const inputs = [{ name: "pixel_values", dtype: "float32", shape } as const];
    const nodes = graph.nodes.filter(({ opType }) => opType !== "Conv");
    return concat(writeModel({ ...model, graph: { ...graph, nodes, inputs } }));
  };
  for (
    const [shape, message] of [
      [[1, 1, 8, 8], "num_channels is 3 in its config, but 1 in its graph"],
      [[1, 3, 8, 12], "image_size is [8,8] in its config, but [8,12] in its graph"],
    ] as const
  ) {
    await assertRejects(
      () => loadModel(fixed(shape), { config, preprocessorConfig, runtime }),
      TypeError,
      message,
    );
  }
});

Deno.test("a config that contradicts this project's own graph is refused on every engine", async () => {
  const model = readModel(await goldenModel("tiny", "int8"));
  const own = JSON.parse(model.metadataProps.get("config.json")!);
  const changed = new Map(model.metadataProps)
    .set("config.json", JSON.stringify({ ...own, patch_size: own.patch_size / 2 }));
  const file = concat(writeModel({ ...model, metadataProps: changed }));
  const message = "patch_size is";
  const auto = autoRuntime({ ort: ortOfBytes });
  await assertRejects(() => loadModel(file, { runtime: auto }), TypeError, message);
  await assertRejects(() => loadModel(file, { runtime }), TypeError, message);
  const simd = simdRuntime();
  await assertRejects(
    () => loadModel(file, { runtime: simd }),
    TypeError,
    "Cannot use the ONNX model: embeddings",
  );
});
