import { assert, assertEquals, assertThrows } from "@std/assert";
import type { RawImage } from "../../../src/image/raw_image.ts";
import { adjustBrightness } from "../../../src/train/augmentation/operations/adjust_brightness.ts";
import { adjustContrast } from "../../../src/train/augmentation/operations/adjust_contrast.ts";
import { adjustSaturation } from "../../../src/train/augmentation/operations/adjust_saturation.ts";
import { adjustSharpness } from "../../../src/train/augmentation/operations/adjust_sharpness.ts";
import { affine } from "../../../src/train/augmentation/operations/affine.ts";
import { autoContrast } from "../../../src/train/augmentation/operations/auto_contrast.ts";
import { equalize } from "../../../src/train/augmentation/operations/equalize.ts";
import { posterize } from "../../../src/train/augmentation/operations/posterize.ts";
import { rotate } from "../../../src/train/augmentation/operations/rotate.ts";
import { solarize } from "../../../src/train/augmentation/operations/solarize.ts";
import { randAugment } from "../../../src/train/augmentation/rand_augment.ts";
import { uniform } from "../../random.ts";
import { noise } from "./noise.ts";

const image = noise(66, 33, 1);

/** What the 14 operations of torchvision do to the image, at magnitude 9 of 30 and with both signs. */
const RESULTS: readonly ((sign: number) => RawImage)[] = [
  () => image,
  (sign) => affine(image, [1, sign * 0.09, 0, 0, 1, 0]),
  (sign) => affine(image, [1, 0, 0, sign * 0.09, 1, 0]),
  (sign) => affine(image, [1, 0, -sign * 8, 0, 1, 0]), // 150 / 331 × 66 × 0.3 = 8.97
  (sign) => affine(image, [1, 0, 0, 0, 1, -sign * 4]),
  (sign) => rotate(image, sign * 9),
  (sign) => adjustBrightness(image, 1 + sign * 0.27),
  (sign) => adjustSaturation(image, 1 + sign * 0.27),
  (sign) => adjustContrast(image, 1 + sign * 0.27),
  (sign) => adjustSharpness(image, 1 + sign * 0.27),
  () => posterize(image, 7),
  () => solarize(image, 178.5),
  () => autoContrast(image),
  () => equalize(image),
];

Deno.test("randAugment() applies each of torchvision's operations at its magnitude", () => {
  RESULTS.forEach((expected, i) => {
    for (const sign of [1, -1]) {
      const numbers = [(i + 0.5) / RESULTS.length, sign === 1 ? 0 : 0.5];
      assertEquals(
        randAugment(image, { numOps: 1 }, () => numbers.shift()!),
        expected(sign),
        `operation ${i}, sign ${sign}`,
      );
    }
  });
});

Deno.test("randAugment() draws every operation, and two by default", () => {
  const random = uniform(1);
  const results = new Set<string>();
  for (let i = 0; i < 400; i++) {
    results.add(randAugment(image, { numOps: 1 }, random).data.toBase64());
  }
  // 9 operations have two signs; noise of all levels is as it is after auto-contrast.
  assertEquals(results.size, 9 * 2 + 4);
  assertEquals(randAugment(image, {}, uniform(2)), randAugment(image, { numOps: 2 }, uniform(2)));
  assertEquals(randAugment(image, { numOps: 0 }, uniform(2)), image);
});

Deno.test("randAugment() takes the smallest and the largest magnitude", () => {
  const random = uniform(5);
  for (let i = 0; i < 200; i++) {
    for (const magnitude of [0, 30]) {
      const { width, height, data } = randAugment(image, { magnitude }, random);
      assert(width === 66 && height === 33 && data.length === image.data.length);
    }
  }
});

Deno.test("randAugment() refuses options out of range", () => {
  for (const options of [{ magnitude: 31 }, { magnitude: -1 }, { numOps: 1.5 }, { numOps: 17 }]) {
    const [name] = Object.keys(options);
    assertThrows(() => randAugment(image, options, uniform(1)), RangeError, name!);
  }
});
