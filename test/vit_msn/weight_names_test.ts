import { assert, assertEquals, assertThrows } from "@std/assert";
import { readPytorch } from "../../src/checkpoint/pytorch.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { toFloat32 } from "../../src/tensor/float16.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { toHuggingFaceNames } from "../../src/vit_msn/weight_names.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";
import { goldenPath, maxDifference, readGolden } from "../golden/golden.ts";

const config = parseConfig(JSON.parse(Deno.readTextFileSync(goldenPath("tiny/config.json"))));
const weights = toWeights(readGolden("tiny/model.safetensors"), config);
const backbone = new Map([...weights].filter(([name]) => !name.startsWith("classifier.")));

const authors = new Map(
  [...readPytorch(Deno.readFileSync(goldenPath("tiny/msn.pth.tar")))]
    .filter(([name]) => name.startsWith("target_encoder."))
    .map(([name, tensor]) => [name.slice("target_encoder.".length), tensor]),
);
const newest = readGolden("tiny/model.newest_names.safetensors");

/** The same tensors under changed names. */
function renamed(tensors: ReadonlyMap<string, Tensor>, change: (name: string) => string) {
  return new Map([...tensors].map(([name, tensor]) => [change(name), tensor]));
}

for (
  const [what, tensors, expected] of [
    ["Hugging Face's names", readGolden("tiny/model.safetensors"), weights],
    ["their names without the prefix", weights, weights],
    ["newer transformers' names", newest, weights],
    [
      "newer transformers' without the prefix",
      renamed(newest, (n) => n.replace("vit.", "")),
      weights,
    ],
    ["the authors' names", authors, backbone],
    [
      "the authors' without the prefix",
      renamed(authors, (n) => n.replace("module.", "")),
      backbone,
    ],
    ["a wrapped model's names", renamed(newest, (n) => `module.${n}`), weights],
  ] as const
) {
  Deno.test(`toWeights() gives the same weights for ${what}`, () => {
    assertEquals(toWeights(tensors, config), expected);
  });
}

for (const [dtype, tolerance] of [["f16", 2 ** -11], ["bf16", 2 ** -8]] as const) {
  Deno.test(`toWeights() gives the same weights within ${dtype}'s rounding`, () => {
    const rounded = toWeights(readGolden(`tiny/model.${dtype}.safetensors`), config);
    assertEquals([...rounded.keys()], [...weights.keys()]);
    for (const [name, tensor] of weights) {
      const expected = toFloat32(tensor).data;
      const largest = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
      const difference = maxDifference(toFloat32(rounded.get(name)!).data, expected);
      assert(difference <= tolerance * largest + 1e-7, `${name}: ${difference} of ${largest}`);
    }
  });
}

Deno.test("toHuggingFaceNames() splits the authors' qkv into views of rows", () => {
  const data = Float32Array.from({ length: 12 }, (_, i) => i);
  const named = toHuggingFaceNames(
    new Map([["blocks.7.attn.qkv.weight", { dtype: "float32", shape: [6, 2], data }]]),
  );
  const attention = "encoder.layer.7.attention.attention";
  assertEquals(
    [...named].map(([name, { shape, data }]) => [name, shape, [...data]]),
    [
      [`${attention}.query.weight`, [2, 2], [0, 1, 2, 3]],
      [`${attention}.key.weight`, [2, 2], [4, 5, 6, 7]],
      [`${attention}.value.weight`, [2, 2], [8, 9, 10, 11]],
    ],
  );
  for (const { data: part } of named.values()) assert(part.buffer === data.buffer);
});

const scalar: Tensor = { dtype: "float32", shape: [], data: new Float32Array(1) };

Deno.test("toHuggingFaceNames() leaves unknown names as they are, and the projection head out", () => {
  const unknown = [
    "vit.pooler.dense.bias",
    "module.blocks.0.attn.qkv.weight", // a scalar has no rows
    "blocks.0.attn.gamma",
    "blocks.x.norm1.weight",
    "layers.0.mlp.fc3.bias",
    "target_encoder.norm.weight",
    "",
  ];
  const all = ["fc.fc1.weight", "module.fc.bn1.running_mean", ...unknown];
  const named = toHuggingFaceNames(new Map(all.map((name) => [name, scalar])));
  assertEquals([...named.keys()], unknown);
});

Deno.test("toHuggingFaceNames() refuses two tensors for one weight", () => {
  const twice = new Map([["vit.layernorm.bias", scalar], ["module.norm.bias", scalar]]);
  assertThrows(
    () => toHuggingFaceNames(twice),
    TypeError,
    "both vit.layernorm.bias and module.norm.bias are layernorm.bias",
  );
});
