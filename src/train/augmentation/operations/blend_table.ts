/** The index of a difference of 0 in a table of {@linkcode blendTable}. */
export const ZERO = 255;

/**
 * Tabulates `factor × difference` in single precision for the differences from -255 to 255. Pillow's
 * `Image.blend(from, to, factor)` is `from + factor × (to - from)`, cut to 0 … 255 and rounded down:
 * {@linkcode toLevel} of `from + table[ZERO + to - from]`.
 *
 * @returns 511 products.
 */
export function blendTable(factor: number): Float32Array {
  const single = Math.fround(factor);
  return Float32Array.from({ length: 2 * ZERO + 1 }, (_, i) => single * (i - ZERO));
}

/** Rounds a sum to single precision, as Pillow does, then down to a level from 0 to 255. */
export function toLevel(sum: number): number {
  return sum <= 0 ? 0 : sum >= 255 ? 255 : Math.trunc(Math.fround(sum));
}
