import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { SimdBuild } from "../../../src/runtime/simd/kernels.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { parseReplaySettings, replay } from "../../../src/train/finetune/replay.ts";
import { maxDifference } from "../../golden/golden.ts";
import { FINETUNE_CASES, finetuneCase } from "../../golden/training.ts";

const BUILDS: readonly SimdBuild[] = ["relaxed", "plain"];
/** Of the largest number of a gradient. */
const GRADIENT_TOLERANCE = 1e-4;
const PARAMETER_TOLERANCE = 1e-5;
/** The share of parameters that must be as close: AdamW makes whole steps of gradients that are noise. */
const CLOSE_SHARE = 0.999;

for (const name of FINETUNE_CASES) {
  for (const build of BUILDS) {
    for (const threads of [1, 2]) {
      Deno.test(`replay() of ${name}, ${build} on ${threads} threads, is what PyTorch computes`, async () => {
        const { config, weights, inputs, settings, expected, zeroGradient } = finetuneCase(name);
        const results = await replay(config, weights, inputs, settings, { build, threads });
        const largest = new Map<string, number>();
        for (const [key, { shape, data }] of expected) {
          assert(results.has(key), `${key} is missing`);
          const actual = results.get(key)!;
          assertEquals(actual.shape, shape, key);
          const [kind, ...rest] = key.split(".");
          const parameter = rest.join(".");
          if (zeroGradient.includes(parameter)) continue;
          const numbers = actual.data as Float32Array, wanted = data as Float32Array;
          const difference = maxDifference(numbers, wanted);
          const size = wanted.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
          // The gradient of LoRA's A is 0 while B is.
          const relative = /^(step|ema|merged)/.test(kind!) ? difference : difference / (size || 1);
          largest.set(kind!, Math.max(largest.get(kind!) ?? 0, relative));
          if (/^(step|ema|merged)/.test(kind!)) {
            const steps = settings.lr.slice(0, Number(kind!.replace(/\D/g, "")));
            const far = numbers.filter((x, i) => Math.abs(x - wanted[i]!) > PARAMETER_TOLERANCE);
            assert(
              far.length <= (1 - CLOSE_SHARE) * numbers.length,
              `${key}: ${far.length} differ`,
            );
            assert(difference <= 2 * steps.reduce((a, b) => a + b), `${key}: ${difference}`);
          } else assert(relative <= GRADIENT_TOLERANCE, `${key}: ${relative}`);
        }
        const list = [...largest].map(([kind, x]) => `${kind} ${x.toExponential(1)}`);
        console.log(`largest differences: ${list.join(", ")}`);
      });
    }
  }
}

Deno.test("replay() gives gradients and parameters of all that learns, and of nothing else", async () => {
  for (const name of FINETUNE_CASES) {
    const { config, weights, inputs, settings, json } = finetuneCase(name);
    const results = await replay(config, weights, inputs, settings);
    const learns = Object.keys(json.parameters as object).sort();
    const named = (prefix: string) =>
      [...results.keys()].filter((key) => key.startsWith(prefix)).map((key) =>
        key.slice(prefix.length)
      );
    for (const prefix of ["grad.", "step1.", "step10.", "ema10."]) {
      assertEquals(named(prefix).sort(), learns, `${name}, ${prefix}`);
    }
  }
});

Deno.test("replay() gives the same bits again on as many threads", async () => {
  for (const name of ["full", "lora"] as const) {
    const { config, weights, inputs, settings } = finetuneCase(name);
    for (const threads of [1, 2, 3]) {
      const [first, again] = [0, 1].map(() =>
        replay(config, weights, inputs, settings, { build: "plain", threads })
      );
      assertEquals(await again, await first, `${name}, ${threads} threads`);
    }
  }
});

Deno.test("replay() does without what is optional", async () => {
  const { config, weights, inputs, json } = finetuneCase("frozen");
  const { problem, lr, frozen_blocks } = json;
  const results = await replay(
    config,
    weights,
    inputs,
    parseReplaySettings({ problem, lr, frozen_blocks }),
  );
  assertEquals([...results.keys()].some((key) => key.startsWith("ema")), false);
  assert((results.get("loss")!.data as Float32Array).every(Number.isFinite));
});

const { json: SETTINGS } = finetuneCase("full");

for (
  const [what, changes, message] of [
    ["problem", { problem: "guess" }, 'problem is "guess", not single_label'],
    ["lr", { lr: [] }, "lr is [], not a learning rate a step"],
    ["lr", { lr: [-1] }, "lr.0 is -1, not 0 or more"],
    ["lr", { lr: undefined }, "lr is missing"],
    ["betas", { betas: [0.9] }, "betas.1 is missing"],
    ["betas", { betas: [0.9, 1] }, "betas.1 is 1, not"],
    ["betas", { betas: [-0.1, 0.9] }, "betas.0 is -0.1, not"],
    ["eps", { eps: 0 }, "eps is 0, not a positive number"],
    ["weight decay", { weight_decay: "a lot" }, 'weight_decay is "a lot", not a number'],
    ["clipping", { clip_grad_norm: 0 }, "clip_grad_norm is 0, not a positive number"],
    ["label smoothing", { label_smoothing: 1.5 }, "label_smoothing is 1.5, not"],
    ["averages", { ema_decay: 1.5 }, "ema_decay is 1.5, not"],
    ["frozen blocks", { frozen_blocks: 1.5 }, "frozen_blocks is 1.5, not whole"],
    ["ranks", { lora: { rank: 0, alpha: 8 } }, "lora.rank is 0, not"],
    ["alphas", { lora: { rank: 4, alpha: 0 } }, "lora.alpha is 0, not a positive number"],
    [
      "groups",
      { parameters: { a: { lr_scale: -1, weight_decay: 0 } } },
      "parameters.a.lr_scale is -1, not 0 or more",
    ],
  ] as const
) {
  Deno.test(`parseReplaySettings() rejects wrong ${what}: ${message}`, () => {
    const json = { ...SETTINGS, ...changes };
    assertThrows(() => parseReplaySettings(json), TypeError, `Cannot read train.json: ${message}`);
  });
}

Deno.test("parseReplaySettings() rejects what is no object", () => {
  for (const json of [null, [], "x"]) {
    assertThrows(() => parseReplaySettings(json), TypeError, "it is not a JSON object");
  }
});

/** A tensor of zeros. */
function zeros(...shape: number[]): Tensor<"float32"> {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return { dtype: "float32", shape, data };
}

/** A tensor of int64. */
function integers(shape: readonly number[], numbers: readonly number[]): Tensor<"int64"> {
  return { dtype: "int64", shape, data: BigInt64Array.from(numbers, BigInt) };
}

const BAD_INPUTS: readonly (readonly [
  title: string,
  name: typeof FINETUNE_CASES[number],
  inputs: Readonly<Record<string, Tensor | undefined>>,
  message: string,
])[] = [
  ["no pixels", "full", { pixel_values: undefined }, "tensor pixel_values is missing"],
  ["integer pixels", "full", { pixel_values: integers([1], [0]) }, "pixel_values"],
  ["flat pixels", "full", { pixel_values: zeros(3, 3072) }, "pixel_values is [3,3072]"],
  ["no images", "full", { pixel_values: zeros(0, 3, 32, 32) }, "pixel_values is [0,3,32,32]"],
  ["other channels", "full", { pixel_values: zeros(3, 1, 32, 32) }, "Expected 3 but got 1"],
  ["images below a patch", "full", { pixel_values: zeros(3, 3, 3, 32) }, "smaller than a patch"],
  [
    "pixels that are NaN",
    "full",
    { pixel_values: { ...zeros(3, 3, 32, 32), data: new Float32Array(9216).fill(NaN, 7, 8) } },
    "pixel_values has NaN",
  ],
  ["no labels", "full", { labels: undefined }, "tensor labels is missing"],
  ["two labels", "full", { labels: integers([2], [0, 1]) }, "labels is [2], not [3]"],
  [
    "label 7 of 7",
    "full",
    { labels: integers([3], [0, 7, 1]) },
    "label 7 is none of the 7 classes",
  ],
  ["label -1", "full", { labels: integers([3], [0, -1, 1]) }, "label -1 is none of the 7 classes"],
  [
    "label 1.5",
    "full",
    { labels: { dtype: "float32", shape: [3], data: Float32Array.of(0, 1.5, 1) } },
    "label 1.5 is none of the 7 classes",
  ],
  ["no targets", "soft_targets", { targets: undefined }, "tensor targets is missing"],
  ["wide targets", "soft_targets", { targets: zeros(3, 8) }, "targets is [3,8], not [3,7]"],
  [
    "targets that are NaN",
    "soft_targets",
    { targets: { ...zeros(3, 7), data: new Float32Array(21).fill(NaN) } },
    "targets has NaN",
  ],
  ["few labels", "multi_label", { labels: zeros(3) }, "labels is [3], not [3,7]"],
  ["kept patches of others", "full", { kept_patches: integers([2, 4], Array(8).fill(0)) }, "kept_"],
  [
    "patch 64 of 64",
    "full",
    { kept_patches: integers([3, 1], [0, 64, 1]) },
    "Cannot keep the patch 64",
  ],
  ["a mask of integers", "full", { bool_masked_pos: integers([3, 2], Array(6).fill(0)) }, "bool_m"],
  [
    "a mask too short",
    "full",
    { bool_masked_pos: { dtype: "bool", shape: [3, 2], data: new Uint8Array(6) } },
    "bool_masked_pos is [3,2], not [3,64]",
  ],
  [
    "a mask without a token",
    "full",
    { bool_masked_pos: { dtype: "bool", shape: [3, 64], data: new Uint8Array(192) } },
    "the checkpoint has no mask_token",
  ],
  [
    "no adapter",
    "lora",
    { "init.vit.encoder.layer.0.attention.attention.query.lora_A.weight": undefined },
    "init.vit.encoder.layer.0.attention.attention.query.lora_A.weight is missing",
  ],
  [
    "an adapter of another rank",
    "lora",
    { "init.vit.encoder.layer.0.attention.attention.query.lora_A.weight": zeros(5, 24) },
    "lora_A.weight",
  ],
];

for (const [title, name, changes, message] of BAD_INPUTS) {
  Deno.test(`replay() rejects ${title}`, async () => {
    const { config, weights, inputs, settings } = finetuneCase(name);
    const changed = new Map(Object.entries({ ...Object.fromEntries(inputs), ...changes }));
    for (const [key, tensor] of changed) if (!tensor) changed.delete(key);
    const error = await assertRejects(
      () => replay(config, weights, changed as Map<string, Tensor>, settings),
      Error,
    );
    assert(error instanceof TypeError || error instanceof RangeError, `${error}`);
    assertStringIncludes(error.message, message);
  });
}

Deno.test("replay() rejects a model without a classifier, and more frozen blocks than there are", async () => {
  const { config, weights, inputs, settings } = finetuneCase("full");
  const headless = new Map([...weights].filter(([name]) => !name.startsWith("classifier.")));
  await assertRejects(
    () => replay(config, headless, inputs, settings),
    TypeError,
    "Cannot train: the model has no classifier",
  );
  await assertRejects(
    () => replay(config, weights, inputs, { ...settings, frozen_blocks: 4 }),
    TypeError,
    "Cannot freeze 4 blocks: the model has 3",
  );
});
