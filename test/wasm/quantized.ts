/** What four numbers of a row may add up to, of those that are positive or of those that are negative. */
const LARGEST_SUM = 256;

/**
 * What 127 stands for where a row is quantised: the largest |x|, or more where four numbers add up to more than
 * {@linkcode LARGEST_SUM}. Four are the first or the last halves of two groups of four.
 */
export function rangeOf(row: Float32Array): number {
  let range = row.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  for (let i = 0; i < row.length; i += 8) {
    for (const first of [i, i + 2]) {
      for (const sign of [1, -1]) {
        const at = (place: number) => Math.max(0, sign * (row[place] ?? 0));
        const even = Math.fround(at(first) + at(first + 4));
        const odd = Math.fround(at(first + 1) + at(first + 5));
        range = Math.max(range, Math.fround(Math.fround(even + odd) * (127 / LARGEST_SUM)));
      }
    }
  }
  return range;
}

/** A row in 8 bits, with ties to even. */
export function quantized(row: Float32Array): Int8Array {
  const factor = Math.fround(127 / rangeOf(row));
  return Int8Array.from(row, (v) => roundHalfEven(Math.fround(v * factor)));
}

function roundHalfEven(x: number): number {
  const magic = 1.5 * 2 ** 52; // next to it, numbers are integers
  return x + magic - magic;
}
