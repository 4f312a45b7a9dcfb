import { assert, assertEquals, assertThrows } from "@std/assert";
import { gaussianBlur } from "../../../src/train/augmentation/gaussian_blur.ts";
import { noise } from "./noise.ts";

Deno.test("gaussianBlur() takes any radius up to its limit and any size of image", () => {
  for (const [width, height] of [[1, 1], [1, 9], [30, 2]] as const) {
    for (const radius of [0, 1e-3, 1, 1000]) {
      const { data } = gaussianBlur(noise(width, height, 1), radius);
      assertEquals(data.length, 3 * width * height);
    }
  }
});

Deno.test("gaussianBlur() keeps one colour and evens out noise", () => {
  const flat = { width: 9, height: 5, data: new Uint8Array(135).fill(77) };
  assertEquals(gaussianBlur(flat, 3), flat);
  const spread = (bytes: Uint8Array) => Math.max(...bytes) - Math.min(...bytes);
  assert(spread(gaussianBlur(noise(40, 40, 1), 3).data) < 100);
});

Deno.test("gaussianBlur() refuses radii out of range", () => {
  for (const radius of [-1, NaN, 1000.5, Infinity]) {
    assertThrows(() => gaussianBlur(noise(2, 2, 1), radius), RangeError, "Cannot blur");
  }
});
