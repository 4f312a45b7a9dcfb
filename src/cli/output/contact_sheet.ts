import type { RawImage } from "../../image/raw_image.ts";
import { resize } from "../../image/transform/resize.ts";

/** How a contact sheet is laid out. */
export interface ContactSheetOptions {
  /** The side of the square that an image is fitted into, in pixels. */
  readonly cell: number;
  /** The white between the cells and around them, in pixels. */
  readonly gap: number;
}

/** A sheet that an image viewer still opens; its pixels take 192 MiB. */
const MAX_PIXELS = 2 ** 26;

/**
 * Lays images out in a grid on white. An image larger than a cell is shrunk; a smaller one is enlarged by the
 * largest whole factor that fits, so that its pixels can be told apart. Both are centred in their cell.
 *
 * @param rows the images of each row from the left; rows may differ in length.
 * @throws {RangeError} if there is no image, a size is out of its range, or the sheet would have more than
 *   67 million pixels.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { contactSheet } from "./contact_sheet.ts";
 *
 * const view = { width: 32, height: 32, data: new Uint8Array(32 * 32 * 3) };
 * const { width, height } = contactSheet([[view, view], [view]], { cell: 96, gap: 4 });
 * assertEquals([width, height], [204, 204]);
 * ```
 */
export function contactSheet(
  rows: readonly (readonly RawImage[])[],
  { cell, gap }: ContactSheetOptions,
): RawImage {
  checkInteger("cell", cell, 1);
  checkInteger("gap", gap, 0);
  const columns = rows.reduce((most, { length }) => Math.max(most, length), 0);
  if (columns === 0) {
    throw new RangeError("Cannot lay out a contact sheet: give at least one image");
  }
  const width = gap + columns * (cell + gap);
  const height = gap + rows.length * (cell + gap);
  if (width * height > MAX_PIXELS) {
    throw new RangeError(
      `Cannot lay out a contact sheet of ${width} × ${height} pixels: it may have ${MAX_PIXELS}; ` +
        "give fewer images or a smaller cell",
    );
  }
  const data = new Uint8Array(3 * width * height).fill(255);
  for (const [y, row] of rows.entries()) {
    for (const [x, image] of row.entries()) {
      const fitted = fit(image, cell);
      const left = gap + x * (cell + gap) + (cell - fitted.width >> 1);
      const top = gap + y * (cell + gap) + (cell - fitted.height >> 1);
      for (let line = 0; line < fitted.height; line++) {
        const pixels = fitted.data.subarray(
          3 * fitted.width * line,
          3 * fitted.width * (line + 1),
        );
        data.set(pixels, 3 * ((top + line) * width + left));
      }
    }
  }
  return { width, height, data };
}

function checkInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(
      `Cannot lay out a contact sheet: ${name} is ${value}; give an integer from ${least} on`,
    );
  }
}

/** The image shrunk into a square, or enlarged as far as whole factors go. */
function fit(image: RawImage, cell: number): RawImage {
  const side = Math.max(image.width, image.height);
  if (side <= cell) return enlarge(image, Math.floor(cell / side));
  const size = (length: number) => Math.max(1, Math.round(length * cell / side));
  return resize(image, size(image.width), size(image.height), "bilinear");
}

/** Makes a square of each pixel. */
function enlarge(image: RawImage, factor: number): RawImage {
  if (factor === 1) return image;
  const [width, height] = [image.width * factor, image.height * factor];
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (Math.floor(y / factor) * image.width + Math.floor(x / factor));
      data.set(image.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { width, height, data };
}
