/** What four numbers of a row may add up to, of those that are positive or of those that are negative. */
const LARGEST_SUM = 256;

/** The places of the fours that a row's products are added up in: the first or the last halves of two groups of four. */
export function* foursOf(width: number): Generator<readonly [number, number, number, number]> {
  for (let i = 0; i < width; i += 8) {
    for (const first of [i, i + 2]) yield [first, first + 1, first + 4, first + 5];
  }
}

/**
 * What 127 stands for where a row is quantised: the largest |x|, or more where four numbers add up to more than
 * {@linkcode LARGEST_SUM}; see {@linkcode foursOf}.
 */
export function rangeOf(row: Float32Array): number {
  let range = row.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  for (const four of foursOf(row.length)) {
    for (const sign of [1, -1]) {
      const [a, b, c, d] = four.map((place) => Math.max(0, sign * (row[place] ?? 0)));
      const sum = Math.fround(Math.fround(a! + c!) + Math.fround(b! + d!));
      range = Math.max(range, Math.fround(sum * (127 / LARGEST_SUM)));
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
