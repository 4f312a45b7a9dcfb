import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { loadModel } from "../../src/model/load_model.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import { smoothQuant } from "../../src/vit_msn/smooth_quant.ts";
import type { ViTMSNWeights } from "../../src/vit_msn/weights.ts";
import { cosine } from "../golden/model.ts";
import { uniform } from "../random.ts";
import { randomWeights } from "./random_weights.ts";

const json = {
  model_type: "vit_msn",
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 96,
  image_size: 16,
  patch_size: 4,
};
const random = uniform(3);
const data = Float32Array.from({ length: 3 * 16 * 16 }, () => 4 * random() - 2);
const pixel_values: Tensor = { dtype: "float32", shape: [1, 3, 16, 16], data };

/** Random weights; some channels come out of the LayerNorms enlarged and are made up for behind them. */
function weightsWithHugeChannels(factor: number): ViTMSNWeights {
  const weights = randomWeights(parseConfig(json));
  for (const [name, { data }] of weights) {
    const isNorm = /layer\.\d+\.layernorm/.test(name);
    if (!isNorm && !/(query|key|value|intermediate\.dense)\.weight$/.test(name)) continue;
    const numbers = data as Float32Array;
    for (let i = 0; i < numbers.length; i++) {
      if (i % 64 % 30 === 7) numbers[i]! *= isNorm ? factor : 1 / factor;
    }
  }
  return weights;
}

async function statesOf(weights: ViTMSNWeights, dtype: "f32" | "int8"): Promise<Float32Array> {
  const file = concat(writeModelFile(json, {}, weights, dtype));
  await using model = await loadModel(file, { runtime: simdRuntime() });
  const results = await model.forward({ pixel_values }, { outputs: ["last_hidden_state"] });
  return results.get("last_hidden_state")!.data as Float32Array;
}

Deno.test("smoothQuant() leaves what the model computes as it is", async () => {
  const weights = weightsWithHugeChannels(50);
  const similarity = cosine(
    await statesOf(smoothQuant(weights), "f32"),
    await statesOf(weights, "f32"),
  );
  assert(similarity > 1 - 1e-9);
});

Deno.test("int8 holds where a few channels of the activations are huge", async () => {
  const plain = weightsWithHugeChannels(1);
  const huge = weightsWithHugeChannels(50);
  const similarities = [];
  for (const weights of [plain, huge]) {
    similarities.push(cosine(await statesOf(weights, "int8"), await statesOf(weights, "f32")));
  }
  console.log(`cosine ${similarities.map((similarity) => similarity.toFixed(6)).join(", ")}`);
  assert(similarities.every((similarity) => similarity > 0.999));
});

Deno.test("smoothQuant() leaves alone what is not there, or all zeros", () => {
  const zeros = (...shape: number[]) =>
    ({ dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b)) }) as const;
  const name = "encoder.layer.0.layernorm_after";
  const alone = new Map([[`${name}.weight`, zeros(4)]]);
  assertEquals(smoothQuant(alone), alone);
  const all = new Map([
    [`${name}.weight`, zeros(4)],
    [`${name}.bias`, zeros(4)],
    ["encoder.layer.0.intermediate.dense.weight", zeros(2, 4)],
  ]);
  assertEquals(smoothQuant(all), all);
});
