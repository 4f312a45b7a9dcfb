import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { randomErasing } from "../../../src/train/augmentation/random_erasing.ts";
import { uniform } from "../../random.ts";

const SHAPE = [3, 40, 50] as const;

/** Erases a part of ones and says which: every channel must have lost the same rectangle. */
function erase(random: () => number, options = {}) {
  const [channels, height, width] = SHAPE;
  const pixels = new Float32Array(channels * height * width).fill(1);
  const isErased = randomErasing(pixels, SHAPE, { probability: 1, ...options }, random);
  const [first, ...others] = Array.from(
    { length: channels },
    (_, c) => pixels.subarray(c * height * width, (c + 1) * height * width),
  );
  for (const other of others) assertEquals(other, first);
  const places = [...first!.entries()].filter(([, value]) => value === 0).map(([i]) => i);
  const rows = places.map((i) => Math.floor(i / width));
  const columns = places.map((i) => i % width);
  const boxHeight = Math.max(...rows) - Math.min(...rows) + 1;
  const boxWidth = Math.max(...columns) - Math.min(...columns) + 1;
  if (isErased) assertEquals(places.length, boxHeight * boxWidth, "a full rectangle");
  return { isErased, count: places.length, boxHeight, boxWidth };
}

Deno.test("randomErasing() erases one rectangle of an allowed area and ratio in all channels", () => {
  const random = uniform(1);
  const boxes = Array.from({ length: 500 }, () => erase(random));
  const areas = boxes.map(({ count }) => count / 2000);
  assert(boxes.every(({ isErased }) => isErased));
  assert(Math.min(...areas) > 0.017 && Math.max(...areas) < 0.34, `${areas}`);
  assert(Math.min(...areas) < 0.03 && Math.max(...areas) > 0.3);
  const ratios = boxes.map(({ boxHeight, boxWidth }) => boxHeight / boxWidth);
  assert(Math.min(...ratios) > 0.25 && Math.max(...ratios) < 4);
  assert(Math.min(...ratios) < 0.4 && Math.max(...ratios) > 2.5);
});

Deno.test("randomErasing() erases as often as its probability says", () => {
  const random = uniform(2);
  const count = (probability: number) => {
    return Array.from({ length: 2000 }, () => {
      return randomErasing(new Float32Array(64), [1, 8, 8], { probability }, random);
    }).filter(Boolean).length;
  };
  assertEquals(count(0), 0);
  assertAlmostEquals(count(0.25) / 2000, 0.25, 0.03);
  assertEquals(count(1), 2000);
});

Deno.test("randomErasing() leaves an image that no rectangle fits into", () => {
  const { isErased, count } = erase(uniform(1), { scale: [1, 1] });
  assertEquals([isErased, count], [false, 0]);
});

Deno.test("randomErasing() works on a part of a batch", () => {
  const batch = new Float32Array(2 * 3 * 8 * 8).fill(1);
  randomErasing(batch.subarray(192), [3, 8, 8], { probability: 1 }, uniform(1));
  assert(batch.subarray(0, 192).every((value) => value === 1));
  assert(batch.subarray(192).includes(0));
});

Deno.test("randomErasing() refuses another image's shape and options out of range", () => {
  const pixels = new Float32Array(12);
  assertThrows(() => randomErasing(pixels, [3, 2, 3], {}, uniform(1)), RangeError, "[3,2,3]");
  for (const probability of [-0.1, 1.1, NaN]) {
    assertThrows(
      () => randomErasing(pixels, [3, 2, 2], { probability }, uniform(1)),
      RangeError,
      "probability",
    );
  }
  assertThrows(
    () => randomErasing(pixels, [3, 2, 2], { scale: [0.5, 0.2] }, uniform(1)),
    RangeError,
  );
  assertThrows(() => randomErasing(pixels, [3, 2, 2], { ratio: [0, 1] }, uniform(1)), RangeError);
});
