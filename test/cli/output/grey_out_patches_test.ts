import { assertEquals, assertThrows } from "@std/assert";
import { greyOutPatches } from "../../../src/cli/output/grey_out_patches.ts";
import type { RawImage } from "../../../src/image/raw_image.ts";

/** 6 × 4 pixels: patches of 2 × 2 are in two rows of three. */
const image: RawImage = { width: 6, height: 4, data: new Uint8Array(6 * 4 * 3).fill(11) };

/** The level of each patch, whose pixels must be equal. */
function levels({ width, height, data }: RawImage): number[] {
  return Array.from({ length: 6 }, (_, patch) => {
    const found = new Set<number>();
    for (let i = 0; i < 3 * width * height; i++) {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      if (Math.floor(y / 2) * 3 + Math.floor(x / 2) === patch) found.add(data[i]!);
    }
    assertEquals(found.size, 1);
    return [...found][0]!;
  });
}

Deno.test("greyOutPatches() fades the patches that are not kept, row by row", () => {
  const faded = [161, 11, 161, 161, 161, 11];
  assertEquals(levels(greyOutPatches(image, 2, new Set([1, 5]))), faded);
  assertEquals(levels(greyOutPatches(image, 2, Int32Array.of(5, 1))), faded);
  assertEquals(levels(greyOutPatches(image, 2, new Set())), new Array(6).fill(161));
  assertEquals(image.data, new Uint8Array(6 * 4 * 3).fill(11));
});

Deno.test("greyOutPatches() refuses patches that the image does not have", () => {
  for (const size of [4, 0, 0.5, -2, NaN]) {
    assertThrows(() => greyOutPatches(image, size, new Set()), RangeError, "divides both sides");
  }
  for (const patch of [-1, 6, 0.5]) {
    assertThrows(
      () => greyOutPatches(image, 2, new Set([patch])),
      RangeError,
      `Cannot show patch ${patch}: an image has the patches 0 to 5`,
    );
  }
});
