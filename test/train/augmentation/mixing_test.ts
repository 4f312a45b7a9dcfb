import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { mixBatch, type MixingOptions } from "../../../src/train/augmentation/mixing.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { uniform } from "../../random.ts";

function tensor(shape: readonly number[], data: Iterable<number>): Tensor<"float32"> {
  return { dtype: "float32", shape, data: Float32Array.from(data) };
}

const SHAPE = [3, 2, 8, 10] as const;

/** Mixes three images of noise with three classes. */
function mix(options: MixingOptions, random: () => number) {
  const noise = uniform(99);
  const before = Array.from({ length: 3 * 160 }, () => Math.fround(noise()));
  const pixels = tensor(SHAPE, before);
  const targets = tensor([3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  const lambda = mixBatch(pixels, targets, options, random);
  return { before, pixels: pixels.data, targets: targets.data, lambda };
}

function assertTargets(targets: Float32Array, lambda: number): void {
  const expected = [lambda, 0, 1 - lambda, 0, 1, 0, 1 - lambda, 0, lambda];
  expected.forEach((value, i) => assertAlmostEquals(targets[i]!, value, 1e-6));
}

Deno.test("mixBatch() with mixup blends images and targets with those of the reversed batch", () => {
  const { before, pixels, targets, lambda } = mix({ mixup: 0.8 }, uniform(1));
  assert(lambda > 0 && lambda < 1);
  for (let image = 0; image < 3; image++) {
    for (let i = 0; i < 160; i++) {
      const own = before[160 * image + i]!;
      const other = before[160 * (2 - image) + i]!;
      assertAlmostEquals(pixels[160 * image + i]!, lambda * own + (1 - lambda) * other, 1e-6);
    }
  }
  assertTargets(targets, lambda);
});

Deno.test("mixBatch() with CutMix exchanges a box; lambda is the part that is left", () => {
  const random = uniform(2);
  for (let round = 0; round < 200; round++) {
    const { before, pixels, targets, lambda } = mix({ cutmix: 1 }, random);
    const changed = [...pixels.subarray(0, 160).entries()]
      .filter(([i, value]) => value !== before[i]).map(([i]) => i);
    for (const i of changed) {
      assertEquals(pixels[i], before[320 + i]);
      assertEquals(pixels[320 + i], before[i]);
    }
    assertEquals(pixels.subarray(160, 320), Float32Array.from(before.slice(160, 320)));
    assertAlmostEquals(lambda, 1 - changed.length / 160, 1e-9);
    const rows = changed.map((i) => Math.floor(i / 10) % 8);
    const columns = changed.map((i) => i % 10);
    const height = Math.max(...rows) - Math.min(...rows) + 1;
    const width = Math.max(...columns) - Math.min(...columns) + 1;
    if (changed.length > 0) assertEquals(changed.length, 2 * height * width); // both channels
    assertTargets(targets, lambda);
  }
});

Deno.test("mixBatch() uses mixup and CutMix equally often if both are given", () => {
  const random = uniform(3);
  let cut = 0;
  for (let round = 0; round < 1000; round++) {
    const { before, pixels } = mix({ mixup: 1, cutmix: 1 }, random);
    // After CutMix, every pixel is the image's own or its counterpart's.
    if (pixels.every((v, i) => v === before[i] || v === before[(i + 320) % 640])) cut++;
  }
  assertAlmostEquals(cut / 1000, 0.5, 0.05);
});

Deno.test("mixBatch() draws lambda from Beta(alpha, alpha)", () => {
  const random = uniform(4);
  const lambdas = Array.from({ length: 3000 }, () => mix({ mixup: 0.2 }, random).lambda);
  assertAlmostEquals(lambdas.reduce((a, b) => a + b) / 3000, 0.5, 0.03);
  // Beta(0.2, 0.2) is below 0.1 or above 0.9 for 70 % of the draws.
  assertAlmostEquals(lambdas.filter((x) => Math.abs(x - 0.5) > 0.4).length / 3000, 0.7, 0.05);
});

Deno.test("mixBatch() changes nothing when both are off, and one image alone never", () => {
  const { before, pixels, lambda } = mix({}, uniform(1));
  assertEquals([lambda, pixels], [1, Float32Array.from(before)]);
  const single = tensor([1, 1, 2, 2], [1, 2, 3, 4]);
  mixBatch(single, tensor([1, 1], [1]), { mixup: 1 }, uniform(1));
  assertEquals(single.data, Float32Array.of(1, 2, 3, 4));
});

Deno.test("mixBatch() refuses alphas and shapes that do not fit", () => {
  for (const alpha of [-1, NaN, Infinity]) {
    assertThrows(() => mix({ mixup: alpha }, uniform(1)), RangeError, "mixup");
    assertThrows(() => mix({ cutmix: alpha }, uniform(1)), RangeError, "cutmix");
  }
  const pixels = tensor([2, 1, 1, 1], [0, 1]);
  for (const targets of [tensor([1, 2], [1, 0]), tensor([2], [1, 0])]) {
    assertThrows(() => mixBatch(pixels, targets, { mixup: 1 }, uniform(1)), RangeError, "[B,K]");
  }
});
