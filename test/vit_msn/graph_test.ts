import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { loadModel } from "../../src/model/load_model.ts";
import { onnxruntimeWasm } from "../../src/runtime/onnxruntime/wasm.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { parseConfig, type ViTMSNConfig } from "../../src/vit_msn/config.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import type { WeightDataType } from "../../src/vit_msn/quantize.ts";
import { maxDifference } from "../golden/golden.ts";
import { CASES, cosine, goldenCase, goldenModel, outputsOfCase } from "../golden/model.ts";
import { uniform } from "../random.ts";
import { randomWeights } from "./random_weights.ts";
import { referenceForward } from "./reference_forward.ts";

/** The largest differences from PyTorch's float32 that are let pass. */
interface Tolerance {
  /** Of the attentions, which are shares of 1. */
  readonly attentions: number;
  /** Of every other output. */
  readonly others: number;
}

const FULL: Tolerance = { attentions: 1e-5, others: 1e-4 };
/** With weights rounded to 11 bits. */
const FLOAT16: Tolerance = { attentions: 5e-4, others: 5e-3 };
/** With weights rounded to 8 bits. */
const BFLOAT16: Tolerance = { attentions: 5e-3, others: 4e-2 };

for (const name of CASES) {
  testForward(name, "f32", FULL);
  testForward(name, "f16", FLOAT16);
}

/** One model in every format. */
const FILES: readonly (readonly [name: string, tolerance: Tolerance])[] = [
  ["model.safetensors", FULL],
  ["model.newest_names.safetensors", FULL],
  ["pytorch_model.bin", FULL],
  ["msn.pth.tar", FULL],
  ["model.f16.safetensors", FLOAT16],
  ["model.bf16.safetensors", BFLOAT16],
];

for (const [file, tolerance] of FILES) testForward(`tiny/${file}`, "f32", tolerance);

function testForward(source: string, dtype: WeightDataType, { attentions, others }: Tolerance) {
  const limits = `${others}, attentions ${attentions}`;
  Deno.test(`forward() gives PyTorch's outputs within ${limits}: ${source}, ${dtype}`, async () => {
    await using model = await loadModel(await goldenModel(source, dtype), {
      runtime: onnxruntimeWasm(ortOfBytes),
    });
    const { actual, expected } = await outputsOfCase(model, source);
    assertEquals([...actual.keys()].toSorted(), [...expected.keys()].toSorted());
    for (const [output, { shape, data }] of actual) {
      assertEquals(shape, expected.get(output)!.shape, output);
      const difference = maxDifference(
        data as Float32Array,
        expected.get(output)!.data as Float32Array,
      );
      console.log(`${output}: largest difference ${difference.toExponential(1)}`);
      assert(difference <= (output.startsWith("attentions") ? attentions : others), output);
    }
  });
}

Deno.test("forward() of an int8 model stays close to PyTorch's outputs", async () => {
  await using model = await loadModel(await goldenModel("tiny", "int8"), {
    runtime: onnxruntimeWasm(ortOfBytes),
  });
  const { inputs, expected } = goldenCase("tiny");
  const outputs = ["last_hidden_state", "logits"] as const;
  const plain = await model.forward(inputs, { outputs });
  for (const output of outputs) {
    const reference = expected.get(output)!.data as Float32Array;
    const actual = plain.get(output)!.data as Float32Array;
    const similarity = cosine(actual, reference);
    console.log(`${output}: cosine ${similarity.toFixed(6)}`);
    assert(similarity > 0.999);
  }
  // A variant is made of the quantised weights, too.
  const variant = await model.forward(inputs, { outputs: ["logits", "attentions"] });
  assertEquals(variant.get("logits"), plain.get("logits"));
});

Deno.test("forward() gives the same for an image alone as in a batch", async () => {
  await using model = await loadModel(await goldenModel("tiny", "f32"), {
    runtime: onnxruntimeWasm(ortOfBytes),
  });
  const { pixel_values } = goldenCase("tiny").inputs;
  const { shape, data } = pixel_values as Tensor<"float32">;
  const batch = await model.forward({ pixel_values });
  const size = data.length / 3;
  for (let b = 0; b < 3; b++) {
    const one = data.slice(b * size, (b + 1) * size);
    const { logits } = Object.fromEntries(
      await model.forward({
        pixel_values: { dtype: "float32", shape: [1, ...shape.slice(1)], data: one },
      }),
    );
    const expected = (batch.get("logits")!.data as Float32Array).subarray(10 * b, 10 * b + 10);
    assert(maxDifference(logits!.data as Float32Array, expected) < 1e-6);
  }
});

const ODD_CONFIG = {
  model_type: "vit_msn",
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 20,
  image_size: [13, 20], // not a multiple of the patches: the last row and column are left out
  patch_size: [4, 6],
  num_channels: 2,
};

for (const hidden_act of ["gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu"]) {
  Deno.test(`The graph gives the reference's outputs: ${hidden_act}, uneven sizes`, async () => {
    const json = { ...ODD_CONFIG, hidden_act };
    const config: ViTMSNConfig = parseConfig(json);
    const weights = randomWeights(config);
    const file = concat(writeModelFile(json, {}, weights, "f32"));
    await using model = await loadModel(file, { runtime: onnxruntimeWasm(ortOfBytes) });
    const random = uniform(7);
    const data = Float32Array.from({ length: 2 * 13 * 20 }, () => 4 * random() - 2);
    const pixel_values: Tensor = { dtype: "float32", shape: [1, 2, 13, 20], data };
    const results = await model.forward({ pixel_values });
    const { shape, data: actual } = results.get("last_hidden_state")!;
    assertEquals(shape, [1, 10, 24]); // 3 × 3 patches and CLS
    const expected = referenceForward(config, weights, data);
    assert(maxDifference(actual as Float32Array, expected) < 1e-5);

    // Dropped patches: the reference leaves them out after it has added the positions.
    const kept = [7, 0, 4];
    const kept_patches: Tensor = {
      dtype: "int64",
      shape: [1, 3],
      data: BigInt64Array.from(kept, BigInt),
    };
    const dropped = await model.forward({ pixel_values, kept_patches });
    assertEquals(dropped.get("last_hidden_state")!.shape, [1, 4, 24]);
    const expectedOfKept = referenceForward(config, weights, data, kept);
    const { data: ofKept } = dropped.get("last_hidden_state")!;
    assert(maxDifference(ofKept as Float32Array, expectedOfKept) < 1e-5);
  });
}
