import { assertEquals, assertThrows } from "@std/assert";
import { adjustBrightness } from "../../../src/train/augmentation/operations/adjust_brightness.ts";
import { adjustContrast } from "../../../src/train/augmentation/operations/adjust_contrast.ts";
import { adjustHue } from "../../../src/train/augmentation/operations/adjust_hue.ts";
import { adjustSaturation } from "../../../src/train/augmentation/operations/adjust_saturation.ts";
import { adjustSharpness } from "../../../src/train/augmentation/operations/adjust_sharpness.ts";
import { affine } from "../../../src/train/augmentation/operations/affine.ts";
import { posterize } from "../../../src/train/augmentation/operations/posterize.ts";
import { rotate } from "../../../src/train/augmentation/operations/rotate.ts";
import { solarize } from "../../../src/train/augmentation/operations/solarize.ts";
import { noise } from "./noise.ts";

const image = noise(5, 4, 1);

Deno.test("operations refuse numbers that mean nothing", () => {
  for (const adjust of [adjustBrightness, adjustContrast, adjustSaturation, adjustSharpness]) {
    for (const factor of [-0.1, NaN, Infinity]) {
      assertThrows(() => adjust(image, factor), RangeError, "Cannot adjust");
    }
  }
  for (const shift of [-0.51, 0.51, NaN]) assertThrows(() => adjustHue(image, shift), RangeError);
  for (const bits of [-1, 9, 1.5, NaN]) assertThrows(() => posterize(image, bits), RangeError);
  assertThrows(() => solarize(image, NaN), RangeError);
  assertThrows(() => rotate(image, Infinity), RangeError);
  assertThrows(() => affine(image, [1, 0, NaN, 0, 1, 0]), RangeError);
  assertThrows(() => affine(image, [1, 0, 40_000, 0, 1, 0]), RangeError, "32768");
});

Deno.test("adjustSharpness() keeps images that have no inner pixel", () => {
  for (const [width, height] of [[1, 1], [2, 5], [5, 2]] as const) {
    assertEquals(adjustSharpness(noise(width, height, 1), 2), noise(width, height, 1));
  }
});
