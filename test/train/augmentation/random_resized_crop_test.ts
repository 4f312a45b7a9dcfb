import { assertEquals, assertThrows } from "@std/assert";
import { crop } from "../../../src/image/transform/crop.ts";
import { resize } from "../../../src/image/transform/resize.ts";
import { randomCropBox } from "../../../src/train/augmentation/random_crop_box.ts";
import { randomResizedCrop } from "../../../src/train/augmentation/random_resized_crop.ts";
import { uniform } from "../../random.ts";
import { noise } from "./noise.ts";

Deno.test("randomResizedCrop() resizes the crop that was drawn", () => {
  const image = noise(50, 40, 1);
  for (const resample of ["bilinear", "bicubic", "lanczos"] as const) {
    const { left, top, width, height } = randomCropBox(50, 40, {}, uniform(5));
    assertEquals(
      randomResizedCrop(image, { size: [20, 24], resample }, uniform(5)),
      resize(crop(image, left, top, width, height), 24, 20, resample),
    );
  }
});

Deno.test("randomResizedCrop() refuses a size that is none", () => {
  assertThrows(() => randomResizedCrop(noise(4, 4, 1), { size: [0, 8] }, uniform(1)), RangeError);
});
