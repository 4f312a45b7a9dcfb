import { assert, assertEquals } from "@std/assert";
import { toFeature } from "../../src/heads/feature.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { maxDifference } from "../golden/golden.ts";
import { goldenCase, goldenModel } from "../golden/model.ts";

Deno.test("a feature is the CLS token before the final LayerNorm, centred, of length 1", async () => {
  await using model = await loadModel(await goldenModel("tiny", "f32"));
  const { pixel_values } = goldenCase("tiny").inputs;
  const outputs = await model.forward({ pixel_values }, {
    outputs: ["hidden_states", "last_hidden_state"],
  });
  const states = outputs.get("hidden_states") as Tensor<"float32">;
  const last = outputs.get("last_hidden_state") as Tensor<"float32">;
  const [layers, B, T, D] = states.shape as [number, number, number, number];
  const cls = states.data.subarray((layers - 1) * B * T * D).subarray(0, D);
  const mean = cls.reduce((sum, x) => sum + x, 0) / D;
  const length = Math.hypot(...cls.map((x) => x - mean));
  const expected = cls.map((x) => (x - mean) / length);
  const { layerNorm } = readModelFile(await goldenModel("tiny", "f32"));
  const feature = toFeature(last.data.subarray(0, D), layerNorm!);
  assert(maxDifference(feature, expected) < 1e-5);
});

Deno.test("a channel whose weight is next to nothing counts as 0", () => {
  const layerNorm = { weight: Float32Array.of(1, 1, 1e-9), bias: new Float32Array(3) };
  const feature = toFeature(Float32Array.of(1, -1, 5), layerNorm);
  assert(maxDifference(feature, [Math.SQRT1_2, -Math.SQRT1_2, 0]) < 1e-6);
});

Deno.test("a CLS token without direction has a feature of zeros", () => {
  const layerNorm = { weight: Float32Array.of(1, 1), bias: new Float32Array(2) };
  assertEquals([...toFeature(Float32Array.of(2, 2), layerNorm)], [0, 0]);
});
