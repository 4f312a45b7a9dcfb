import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { readCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { loadModel } from "../../src/model.ts";
import { parseConfig, type ViTMSNConfig } from "../../src/vit_msn/config.ts";
import type { WeightDataType } from "../../src/vit_msn/graph.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";
import { goldenPath, maxDifference, readGolden } from "../golden/golden.ts";
import { uniform } from "../random.ts";
import { randomWeights } from "./random_weights.ts";
import { referenceForward } from "./reference_forward.ts";

/** Against PyTorch's float32. */
const TOLERANCE = 1e-4;
/** With matrices rounded to 11 bits. */
const FLOAT16_TOLERANCE = 1e-2;

async function goldenModel(name: string, dtype: WeightDataType): Promise<Uint8Array> {
  const { config, tensors } = await readCheckpoint(goldenPath(name));
  return concat(writeModelFile(config, {}, toWeights(tensors, parseConfig(config)), dtype));
}

for (const name of ["tiny", "tiny_backbone", "tiny_greyscale_no_qkv_bias"]) {
  for (const dtype of ["f32", "f16"] as const) {
    const tolerance = dtype === "f32" ? TOLERANCE : FLOAT16_TOLERANCE;
    Deno.test(`The graph gives PyTorch's outputs within ${tolerance}: ${name}, ${dtype}`, async () => {
      await using model = await loadModel(await goldenModel(name, dtype));
      const expected = readGolden(`${name}/expected.safetensors`);
      const results = await model.forward(expected.get("pixel_values")!);
      assertEquals([...results.keys()], [...expected.keys()].slice(1));
      for (const [output, { shape, data }] of results) {
        assertEquals(shape, expected.get(output)!.shape);
        const difference = maxDifference(
          data as Float32Array,
          expected.get(output)!.data as Float32Array,
        );
        console.log(`${output}: largest difference ${difference.toExponential(1)}`);
        assert(difference <= tolerance);
      }
    });
  }
}

Deno.test("The graph gives the same for an image alone as in a batch", async () => {
  await using model = await loadModel(await goldenModel("tiny", "f32"));
  const { shape, data } = readGolden("tiny/expected.safetensors").get("pixel_values")!;
  const batch = await model.forward({ dtype: "float32", shape, data: data as Float32Array });
  const size = data.length / 3;
  for (let b = 0; b < 3; b++) {
    const one = data.slice(b * size, (b + 1) * size) as Float32Array;
    const { logits } = Object.fromEntries(
      await model.forward({ dtype: "float32", shape: [1, ...shape.slice(1)], data: one }),
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
    await using model = await loadModel(concat(writeModelFile(json, {}, weights, "f32")));
    const random = uniform(7);
    const data = Float32Array.from({ length: 2 * 13 * 20 }, () => 4 * random() - 2);
    const results = await model.forward({ dtype: "float32", shape: [1, 2, 13, 20], data });
    const { shape, data: actual } = results.get("last_hidden_state")!;
    assertEquals(shape, [1, 10, 24]); // 3 × 3 patches and CLS
    const expected = referenceForward(config, weights, data);
    assert(maxDifference(actual as Float32Array, expected) < 1e-5);
  });
}
