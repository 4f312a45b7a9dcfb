import { assertEquals } from "@std/assert";
import { MODEL_NAMES, modelConfigOf } from "../../../src/train/msn/model_names.ts";
import { parseConfig, patchGrid } from "../../../src/vit_msn/config.ts";

Deno.test("modelConfigOf() has the shape of each model's name", () => {
  assertEquals(MODEL_NAMES.length, 15);
  const widths = { tiny: 192, small: 384, base: 768, large: 1024, huge: 1280 };
  for (const name of MODEL_NAMES) {
    const config = parseConfig(modelConfigOf(name, 224));
    const [, size, patch] = /^deit_([a-z]+)(?:_p(\d+))?$/.exec(name)!;
    const width = widths[size as keyof typeof widths];
    assertEquals(config.hiddenSize, width, name);
    assertEquals(config.intermediateSize, 4 * width, name);
    assertEquals(config.patchSize, [Number(patch ?? 16), Number(patch ?? 16)], name);
  }
});

Deno.test("modelConfigOf() is the config of the published ViT-S and ViT-L/7", () => {
  const small = parseConfig(modelConfigOf("deit_small", 224));
  const { numHiddenLayers, numAttentionHeads, layerNormEps, qkvBias, hiddenAct } = small;
  assertEquals({ numHiddenLayers, numAttentionHeads, layerNormEps, qkvBias, hiddenAct }, {
    numHiddenLayers: 12,
    numAttentionHeads: 6,
    layerNormEps: 1e-6,
    qkvBias: true,
    hiddenAct: "gelu",
  });
  const large = parseConfig(modelConfigOf("deit_large_p7", 224));
  assertEquals([large.numHiddenLayers, large.numAttentionHeads], [24, 16]);
  assertEquals(patchGrid(large), [32, 32]);
});

Deno.test("modelConfigOf() takes the size of the images", () => {
  assertEquals(parseConfig(modelConfigOf("deit_tiny", 64)).imageSize, [64, 64]);
});
