import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { randomCropBox } from "../../../src/train/augmentation/random_crop_box.ts";
import { uniform } from "../../random.ts";

/** A generator that gives these numbers one after another. */
function script(...numbers: number[]): () => number {
  return () => numbers.shift() ?? NaN;
}

Deno.test("randomCropBox() computes area, ratio and place as torchvision does", () => {
  // Area 0.5 × 12,000 = 6000 and ratio exp(0) = 1: 77 × 77 pixels; 20 places down, 44 to the right.
  assertEquals(
    randomCropBox(120, 100, { scale: [0, 1] }, script(0.5, 0.5, 0.5, 0.5)),
    { left: 22, top: 12, width: 77, height: 77 },
  );
  // The ratio's ends: sqrt(3000 × 3/4) = 47, sqrt(3000 / (3/4)) = 63.
  assertEquals(
    randomCropBox(120, 100, { scale: [0, 1] }, script(0.25, 0, 0, 0.9999)),
    { left: 73, top: 0, width: 47, height: 63 },
  );
});

Deno.test("randomCropBox() draws again when a crop does not fit", () => {
  // The whole area with a ratio of 3/4 is higher than the image.
  assertEquals(
    randomCropBox(100, 100, {}, script(1, 0, 0, 0.5, 0, 0)),
    { left: 0, top: 0, width: 28, height: 28 },
  );
});

Deno.test("randomCropBox() keeps the centre of an image in which no crop fits", () => {
  assertEquals(randomCropBox(1000, 30, { scale: [0.9, 1] }, uniform(1)), {
    left: 480,
    top: 0,
    width: 40,
    height: 30,
  });
  assertEquals(randomCropBox(30, 1000, { scale: [0.9, 1] }, uniform(1)), {
    left: 0,
    top: 480,
    width: 30,
    height: 40,
  });
  assertEquals(randomCropBox(1, 1, { scale: [0, 0] }, uniform(1)), {
    left: 0,
    top: 0,
    width: 1,
    height: 1,
  });
});

Deno.test("randomCropBox() draws areas, ratios and places over their whole ranges", () => {
  const random = uniform(2);
  const options = { scale: [0.2, 0.6], ratio: [0.5, 2] } as const;
  const boxes = Array.from({ length: 4000 }, () => randomCropBox(1000, 1000, options, random));
  const areas = boxes.map(({ width, height }) => width * height / 1e6);
  const ratios = boxes.map(({ width, height }) => Math.log2(width / height));
  for (const { left, top, width, height } of boxes) {
    assert(left >= 0 && top >= 0 && left + width <= 1000 && top + height <= 1000);
  }
  assert(Math.min(...areas) > 0.199 && Math.max(...areas) < 0.601);
  assert(Math.min(...areas) < 0.205 && Math.max(...areas) > 0.58);
  assert(Math.min(...ratios) > -1.01 && Math.max(...ratios) < 1.01);
  assertAlmostEquals(mean(ratios), 0, 0.03);
  assertAlmostEquals(
    mean(boxes.map(({ left, width }) => (left + 0.5) / (1001 - width))),
    0.5,
    0.02,
  );
  assertAlmostEquals(
    mean(boxes.map(({ top, height }) => (top + 0.5) / (1001 - height))),
    0.5,
    0.02,
  );
});

Deno.test("randomCropBox() refuses ranges that are not valid", () => {
  for (const scale of [[-0.1, 1], [0.5, 0.4], [0.5, 1.1], [NaN, 1]] as const) {
    assertThrows(() => randomCropBox(9, 9, { scale }, uniform(1)), RangeError, "scale");
  }
  for (const ratio of [[0, 1], [2, 1], [1, Infinity]] as const) {
    assertThrows(() => randomCropBox(9, 9, { ratio }, uniform(1)), RangeError, "ratio");
  }
});

function mean(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b) / numbers.length;
}
