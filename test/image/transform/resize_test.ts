import { assertEquals, assertThrows } from "@std/assert";
import type { RawImage } from "../../../src/image/raw_image.ts";
import type { Resampling } from "../../../src/image/transform/resampling.ts";
import { resize } from "../../../src/image/transform/resize.ts";
import { resizeReference } from "./resize_reference.ts";
import { sha256 } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import golden from "../../golden/resize.json" with { type: "json" };

/** The picture of `make_resize.py`. */
function picture(width: number, height: number): RawImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[i++] = x * x * 7 + y * 13 + c * 61 + (x ^ y) * 5;
    }
  }
  return { width, height, data };
}

for (const { from, to, resampling, sha256: expected } of golden.cases) {
  Deno.test(`resize() gives Pillow's bytes: ${from.join("×")} to ${to.join("×")}, ${resampling}`, async () => {
    const image = picture(from[0]!, from[1]!);
    const resized = resize(image, to[0]!, to[1]!, resampling as Resampling);
    assertEquals(await sha256(resized.data), expected);
  });
}

Deno.test("resize() refuses a size that is none", () => {
  for (const size of [0, -1, 1.5, NaN]) {
    assertThrows(() => resize(picture(2, 2), size, 2, "bilinear"), RangeError);
  }
});

Deno.test("resize() gives the bytes of the plain reference, for random sizes", () => {
  const random = uniform(5);
  const size = () => 1 + Math.floor(random() ** 2 * 150);
  for (let round = 0; round < 100; round++) {
    const image = picture(size(), size());
    const [width, height] = [size(), size()];
    const resampling = (["bilinear", "bicubic", "lanczos"] as const)[round % 3]!;
    assertEquals(
      resize(image, width, height, resampling),
      resizeReference(image, width, height, resampling),
      `${image.width} × ${image.height} to ${width} × ${height}, ${resampling}`,
    );
  }
});

Deno.test("resize() gives the bytes of the plain reference, for shapes that fill the kernels' strips", () => {
  for (const [width, height] of [[16_384, 3], [3, 16_384], [5000, 40], [40, 5000]] as const) {
    const image = picture(width, height);
    assertEquals(
      resize(image, 33, 33, "bilinear"),
      resizeReference(image, 33, 33, "bilinear"),
    );
  }
});
