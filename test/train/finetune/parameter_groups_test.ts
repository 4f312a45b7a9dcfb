import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { parameterGroup } from "../../../src/train/finetune/parameter_groups.ts";
import { finetuneCase } from "../../golden/training.ts";

const { config, weights, json } = finetuneCase("full");
const options = {
  layerDecay: json.layer_lr_decay as number,
  weightDecay: json.weight_decay as number,
};

Deno.test("all parameters learn as those of the golden training", () => {
  const parameters = json.parameters as Record<string, { lr_scale: number; weight_decay: number }>;
  const names = Object.keys(parameters);
  assert(names.length > 40);
  for (const name of names) {
    const own = name.replace(/^vit\./, "");
    const { scale, weightDecay } = parameterGroup(own, weights.get(own)!.shape, config, options);
    const { lr_scale, weight_decay } = parameters[name]!;
    assertAlmostEquals(scale, lr_scale, 1e-12, name);
    assertEquals(weightDecay, weight_decay, name);
  }
});

Deno.test("adapters learn as fast in all blocks; positions of a single patch have no decay", () => {
  const name = "encoder.layer.0.attention.attention.query.lora_A.weight";
  assertEquals(parameterGroup(name, [4, 24], config, options), { scale: 1, weightDecay: 0.05 });
  const positions = "embeddings.position_embeddings";
  assertEquals(parameterGroup(positions, [1, 2, 24], config, options).weightDecay, 0);
});
