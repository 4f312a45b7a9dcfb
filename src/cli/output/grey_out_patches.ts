import type { RawImage } from "../../image/raw_image.ts";

/** The light grey that a dropped patch fades to, and how far. */
const GREY = 211;
const FADE = 0.75;

/**
 * Shows which patches of a view a model sees: the others become 75 % light grey.
 *
 * @param patchSize P, the side of a patch in pixels. Patches are numbered row by row from the top left.
 * @param kept the numbers of the patches that stay as they are.
 * @throws {RangeError} if the image's sides are not multiples of P, or there is no such patch.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { greyOutPatches } from "./grey_out_patches.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 11, 211, 255) };
 * assertEquals(greyOutPatches(image, 1, new Set([0])).data, Uint8Array.of(1, 2, 3, 161, 211, 222));
 * ```
 */
export function greyOutPatches(
  image: RawImage,
  patchSize: number,
  kept: ReadonlySet<number> | Int32Array,
): RawImage {
  const { width, height } = image;
  const [columns, rows] = [width / patchSize, height / patchSize];
  if (![patchSize, columns, rows].every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new RangeError(
      `Cannot show patches: an image of ${width} × ${height} pixels has no whole patches of ` +
        `${patchSize} × ${patchSize}; give a patch size that divides both sides`,
    );
  }
  const seen = new Uint8Array(rows * columns);
  for (const patch of kept) {
    if (!(Number.isInteger(patch) && patch >= 0 && patch < seen.length)) {
      throw new RangeError(
        `Cannot show patch ${patch}: an image has the patches 0 to ${
          seen.length - 1
        }; give one of these`,
      );
    }
    seen[patch] = 1;
  }
  const data = image.data.slice();
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    const row = Math.floor(Math.floor(pixel / width) / patchSize);
    const column = Math.floor(pixel % width / patchSize);
    if (!seen[row * columns + column]) data[i] = Math.round(data[i]! + FADE * (GREY - data[i]!));
  }
  return { width, height, data };
}
