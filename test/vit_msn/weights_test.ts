import { assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";
import { randomWeights, TINY_CONFIG } from "./random_weights.ts";

const config = parseConfig(TINY_CONFIG);
const weights = randomWeights(config);
const vector: Tensor = { dtype: "float32", shape: [8], data: new Float32Array(8) };

Deno.test("toWeights() takes names with and without the prefix", () => {
  const prefixed = new Map(
    [...weights].map(([name, tensor]) => [
      name.startsWith("classifier") ? name : `vit.${name}`,
      tensor,
    ]),
  );
  assertEquals(toWeights(prefixed, config), weights);
  assertEquals(toWeights(weights, config), weights);
});

Deno.test("toWeights() takes a mask token where there is one", () => {
  const token = { ...vector, shape: [1, 1, 8] };
  const masked = new Map(weights).set("embeddings.mask_token", token);
  assertEquals(toWeights(masked, config), masked);
  const misshapen = new Map(weights).set("embeddings.mask_token", vector);
  assertThrows(() => toWeights(misshapen, config), TypeError, "should be [1,1,8]");
});

Deno.test("toWeights() lists what is missing, misshapen or unknown", () => {
  const wrong = new Map(weights);
  wrong.delete("embeddings.cls_token");
  wrong.set("layernorm.weight", { ...vector, shape: [2, 4] });
  wrong.set("pooler.dense.bias", vector);
  const { message } = assertThrows(() => toWeights(wrong, config), TypeError, "3 do not fit");
  for (
    const part of [
      "embeddings.cls_token [1,1,8] is missing",
      "layernorm.weight is [2,4] and should be [8]",
      "pooler.dense.bias [8] is unknown",
    ]
  ) assertEquals(message.includes(part), true, message);
});

Deno.test("toWeights() refuses weights that are no floats", () => {
  const integers: Tensor = { dtype: "int32", shape: [8], data: new Int32Array(8) };
  const wrong = new Map(weights).set("layernorm.bias", integers);
  assertThrows(() => toWeights(wrong, config), TypeError, "layernorm.bias is int32");
});

Deno.test("toWeights() holds the classifier against the labels", () => {
  const narrow = new Map(weights).set("classifier.bias", { ...vector, shape: [3] });
  assertThrows(
    () => toWeights(narrow, config),
    TypeError,
    "classifier.bias is [3] and should be [2]",
  );
});
