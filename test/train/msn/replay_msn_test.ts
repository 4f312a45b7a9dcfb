import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { SimdBuild } from "../../../src/runtime/simd/kernels.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { parseMsnReplaySettings, replayMsn } from "../../../src/train/msn/replay_msn.ts";
import { maxDifference } from "../../golden/golden.ts";
import { MSN_CASES, msnCase } from "../../golden/training.ts";

const BUILDS: readonly SimdBuild[] = ["relaxed", "plain"];
/** Of the largest number of a tensor. */
const TOLERANCE = 1e-4;
const PARAMETER_TOLERANCE = 1e-5;
/** The share of parameters that must be as close: AdamW makes whole steps of gradients that are noise. */
const CLOSE_SHARE = 0.999;

for (const name of MSN_CASES) {
  for (const build of BUILDS) {
    for (const threads of [1, 2, 3]) {
      Deno.test(`replayMsn() of ${name}, ${build} on ${threads} threads, is what PyTorch computes`, async () => {
        const { config, tensors, inputs, settings, expected, zeroGradient } = msnCase(name);
        const results = await replayMsn(config, tensors, inputs, settings, { build, threads });
        const largest = new Map<string, number>();
        const range = 2 * settings.lr.reduce((a, b) => a + b);
        for (const [key, { shape, data }] of expected) {
          assert(results.has(key), `${key} is missing`);
          const actual = results.get(key)!;
          assertEquals(actual.shape, shape, key);
          const [kind, ...rest] = key.split(".");
          const parameter = rest.join(".");
          if (key.endsWith("num_batches_tracked")) {
            assertEquals(actual.data, data, key);
            continue;
          }
          // Biases without an effect move, and with them the means of what they are added to.
          if (zeroGradient.includes(parameter) || /^\w+3\..*running_mean$/.test(key)) continue;
          const numbers = actual.data as Float32Array, wanted = data as Float32Array;
          const difference = maxDifference(numbers, wanted);
          const isParameter = /^(step|target)3$/.test(kind!);
          const size = wanted.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
          const relative = isParameter ? difference : difference / size;
          largest.set(kind!, Math.max(largest.get(kind!) ?? 0, relative));
          if (!isParameter) {
            assert(relative <= TOLERANCE, `${key}: ${relative}`);
            continue;
          }
          const far = numbers.filter((x, i) => Math.abs(x - wanted[i]!) > PARAMETER_TOLERANCE);
          assert(far.length <= (1 - CLOSE_SHARE) * numbers.length, `${key}: ${far.length} differ`);
          assert(difference <= range, `${key}: ${difference}`);
        }
        const list = [...largest].map(([kind, x]) => `${kind} ${x.toExponential(1)}`);
        console.log(`largest differences: ${list.join(", ")}`);
      });
    }
  }
}

Deno.test("replayMsn() gives the same bits again on as many threads", async () => {
  const { config, tensors, inputs, settings } = msnCase("msn_sinkhorn");
  for (const threads of [1, 2, 3]) {
    const [first, again] = [0, 1].map(() =>
      replayMsn(config, tensors, inputs, settings, { build: "plain", threads })
    );
    assertEquals(await again, await first, `${threads} threads`);
  }
});

Deno.test("replayMsn() without a target starts it as a copy, and without focal views has one group", async () => {
  const { config, tensors, inputs, settings } = msnCase("msn");
  const own = new Map([...tensors].filter(([name]) => !name.startsWith("target.")));
  const withTarget = new Map([
    ...own,
    ...[...own].filter(([name]) => name !== "prototypes").map((
      [name, tensor],
    ): [string, Tensor] => [
      `target.${name}`,
      tensor,
    ]),
  ]);
  const few = new Map([...inputs].filter(([name]) => name !== "focal_pixel_values"));
  const [a, b] = await Promise.all(
    [own, withTarget].map((given) => replayMsn(config, given, few, settings)),
  );
  assertEquals(a, b);
  assertEquals(a!.get("anchor_features")!.shape, [4, 32]);
  assertEquals(a!.get("forward1.fc.bn1.num_batches_tracked")!.data, BigInt64Array.of(1n));
});

const {
  inputs: INPUTS,
  tensors: TENSORS,
  config: CONFIG,
  settings: SETTINGS,
  json: JSON_SETTINGS,
} = msnCase("msn");

for (
  const [what, change, message] of [
    ["a missing view", { target_pixel_values: undefined }, "tensor target_pixel_values is missing"],
    [
      "a view of other images",
      { anchor_pixel_values: zeros(3, 3, 28, 28) },
      "the views are not of the same images",
    ],
    [
      "a view of another size",
      { focal_pixel_values: zeros(2, 4, 3, 13, 12) },
      "multiples of 4 × 4",
    ],
    ["keep of other anchors", { keep: zeros(3, 34) }, "keep is [3,34], not a row"],
    [
      "a single image",
      {
        target_pixel_values: zeros(1, 3, 28, 28),
        anchor_pixel_values: zeros(1, 3, 28, 28),
        focal_pixel_values: zeros(2, 1, 3, 12, 12),
        keep: undefined,
      },
      "one image: BatchNorm takes two",
    ],
  ] as const
) {
  Deno.test(`replayMsn() refuses ${what}`, async () => {
    const changed = new Map<string, Tensor | undefined>([...INPUTS, ...Object.entries(change)]);
    const given = new Map([...changed].filter((entry): entry is [string, Tensor] => !!entry[1]));
    await assertRejects(() => replayMsn(CONFIG, TENSORS, given, SETTINGS), TypeError, message);
  });
}

Deno.test("replayMsn() refuses a model without head or prototypes", async () => {
  for (const name of ["fc.fc1.weight", "prototypes"]) {
    const less = new Map(TENSORS);
    less.delete(name);
    const message = name === "prototypes" ? "has no prototypes" : "tensor fc.fc1.weight is missing";
    await assertRejects(() => replayMsn(CONFIG, less, INPUTS, SETTINGS), TypeError, message);
  }
});

Deno.test("parseMsnReplaySettings() names what is wrong", () => {
  for (
    const [change, message] of [
      [{ lr: [] }, "lr is [], not a learning rate a step"],
      [{ momentum: [0.9] }, "momentum has 1 numbers, lr 3"],
      [{ weight_decay: undefined }, "weight_decay is missing"],
      [{ temperature: 0 }, "temperature is 0"],
      [{ sinkhorn_iterations: 1.5 }, "sinkhorn_iterations is 1.5, not whole"],
    ] as const
  ) {
    assertThrows(
      () => parseMsnReplaySettings({ ...JSON_SETTINGS, ...change }),
      TypeError,
      message,
    );
  }
});

function zeros(...shape: number[]): Tensor<"float32"> {
  return { dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b)) };
}
