import { assertEquals, assertThrows } from "@std/assert";
import { parseConfig } from "../../src/vit_msn/config.ts";

const MINIMAL = { model_type: "vit_msn" };

Deno.test("parseConfig() fills in Hugging Face's defaults", () => {
  assertEquals(parseConfig(MINIMAL), {
    hiddenSize: 768,
    numHiddenLayers: 12,
    numAttentionHeads: 12,
    intermediateSize: 3072,
    hiddenAct: "gelu",
    layerNormEps: 1e-6,
    imageSize: [224, 224],
    patchSize: [16, 16],
    numChannels: 3,
    qkvBias: true,
    id2label: ["LABEL_0", "LABEL_1"],
  });
});

Deno.test("parseConfig() takes pairs, labels and the problem type", () => {
  const config = parseConfig({
    ...MINIMAL,
    image_size: [224, 112],
    id2label: { "1": "b", "0": "a" },
    problem_type: "regression",
  });
  assertEquals(config.imageSize, [224, 112]);
  assertEquals(config.id2label, ["a", "b"]);
  assertEquals(config.problemType, "regression");
  assertEquals(parseConfig({ ...MINIMAL, problem_type: null }).problemType, undefined);
});

Deno.test("parseConfig() names the setting that it cannot use", () => {
  for (
    const [name, value] of Object.entries({
      model_type: "vit",
      hidden_size: 0,
      num_hidden_layers: "12",
      num_labels: 3e8, // would take the memory of whoever reads it
      num_attention_heads: 7, // does not divide 768
      layer_norm_eps: -1,
      hidden_act: "tanh",
      image_size: [224, 224, 3],
      patch_size: 225, // larger than the image
      qkv_bias: "yes",
      id2label: { "0": "a", "2": "c" },
      problem_type: "clustering",
    })
  ) {
    assertThrows(() => parseConfig({ ...MINIMAL, [name]: value }), TypeError, name);
  }
  assertThrows(() => parseConfig("vit_msn"), TypeError, "not a JSON object");
});
