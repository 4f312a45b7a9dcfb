import { BLOCK, growTo, instantiateKernels, placeOf, QUERIES, vectorsOf } from "./kernels.ts";

/** Queries that {@linkcode RowCodes} take at a time: they pass over the codes once. */
export const CODED_QUERIES = 64;

/** A group is one query or {@linkcode QUERIES}: three numbers for each, then their numbers in int16. */
const GROUP_HEADER = 3 * 4 * QUERIES;
/** Of a code: its scale and its tolerance, float32. */
const CODE_HEADER = 8;
/** Rows that are copied to be encoded at a time. */
const ENCODED = 64;
/** The largest number of int16. */
const MAX_NUMBER = 32_767;
/** What the sizes of a query's numbers add up to at most: with codes up to 127, sums stay below 2^31. */
const MAX_SUM = 2 ** 24;
/** With more numbers, the shares of rounding would be too large for what is said of them. */
const MAX_DIMENSION = 65_536;
/** Queries of other lengths may make products that are no normal float32 numbers, whose errors are larger. */
const [MIN_LENGTH, MAX_LENGTH] = [2 ** -60, 2 ** 60];
/** How much larger or smaller than it is a float32 number may become by rounding, as a share of it. */
const UNIT = 2 ** -24;

/**
 * Rows of a matrix in int8, of half the size of float16, and a bound of what this leaves out: which rows may have a
 * dot product with a query that reaches a bar. All that have are among them.
 *
 * For a row x with codes c and scale s, and a query q, which is close to t·k with integers k:
 *
 *     x·q = s·t·(c·k) + (x - s·c)·q + s·c·(q - t·k)
 *
 * By Cauchy and Schwarz the second term is at most |x - s·c|·|q|, and the third one at most (|x| + |x - s·c|)·ρ·|q|,
 * if |q - t·k| ≤ ρ·|q|. What float32 sums of the exact search and of this one may be wrong by is a share of
 * |x|·|q|, too. So one number a row, its tolerance, times |q| is the bound.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { RowCodes } from "./row_codes.ts";
 *
 * const codes = new RowCodes(8);
 * const rows = new Float16Array(16);
 * rows[0] = 1; // of the first row
 * rows[8] = 0.5; // of the second one
 * codes.append(new Uint16Array(rows.buffer));
 * codes.setQueries([Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0)]);
 * codes.candidates(0, 2, () => 0.6, (_, numbers) => assertEquals([...numbers], [0]));
 * ```
 */
export class RowCodes {
  readonly #kernels = instantiateKernels();
  readonly #vectors: number;
  readonly #groupSize: number;
  readonly #listsAt: number;
  readonly #countsAt: number;
  readonly #rowsAt: number;
  readonly #codesAt: number;
  /** How much larger a length may be than the kernel's float32 sums say. */
  readonly #rounding: number;
  /** The tolerance for all but the error of the row's codes, as a share of the lengths. */
  readonly #slack: number;
  #count = 0;
  #queries = 0;

  /**
   * Has no rows yet.
   *
   * @throws {RangeError} if memory runs out.
   */
  constructor(dimension: number) {
    this.#vectors = vectorsOf(dimension);
    this.#groupSize = GROUP_HEADER + QUERIES * 16 * this.#vectors;
    this.#listsAt = (CODED_QUERIES / QUERIES + 1) * this.#groupSize;
    this.#countsAt = this.#listsAt + QUERIES * 4 * BLOCK;
    this.#rowsAt = this.#countsAt + 4 * QUERIES;
    this.#codesAt = this.#rowsAt + ENCODED * 16 * this.#vectors;
    const numbers = 8 * this.#vectors;
    // A product, additions in each of four lanes, and those of the lanes.
    const roundings = (numbers / 4 + 4) * UNIT;
    const sums = roundings / (1 - roundings);
    const query = 0.501 * Math.sqrt(numbers) *
      Math.max(1 / MAX_NUMBER, Math.sqrt(numbers) / (MAX_SUM - numbers / 2));
    this.#rounding = sums + 32 * UNIT;
    this.#slack = query + sums + 48 * UNIT;
    growTo(this.#kernels, this.#codesAt);
  }

  /** Whether the bounds hold for queries: they do not for very short or long ones, or too many numbers. */
  static canBound(queries: readonly Float32Array[]): boolean {
    return queries.every((query) => {
      const length = lengthOf(query);
      return query.length <= MAX_DIMENSION && length >= MIN_LENGTH && length <= MAX_LENGTH;
    });
  }

  /** The number of rows. */
  get count(): number {
    return this.#count;
  }

  /** Forgets the rows from one on. */
  forget(from: number): void {
    this.#count = Math.min(this.#count, from);
  }

  /**
   * Appends rows.
   *
   * @param rows float16 bits [·, 8 · vectors], padded with zeros.
   * @throws {RangeError} if memory runs out.
   */
  append(rows: Uint16Array): void {
    const kernels = this.#kernels;
    const size = 8 * this.#vectors;
    const codeSize = CODE_HEADER + size;
    growTo(kernels, this.#codesAt + (this.#count + rows.length / size) * codeSize);
    const copy = new Uint16Array(kernels.memory.buffer, this.#rowsAt, ENCODED * size);
    for (let at = 0; at < rows.length; at += copy.length) {
      const some = rows.subarray(at, at + copy.length);
      copy.set(some);
      const codes = this.#codesAt + this.#count * codeSize;
      const count = some.length / size;
      kernels.encode(this.#rowsAt, count, this.#vectors, codes, this.#rounding, this.#slack);
      this.#count += count;
    }
  }

  /** Sets the queries, at most {@linkcode CODED_QUERIES}, for which {@linkcode RowCodes.canBound} is true. */
  setQueries(queries: readonly Float32Array[]): void {
    this.#queries = queries.length;
    queries.forEach((query, q) => {
      const scale = scaleOf(query, 8 * this.#vectors);
      const { at, lane, lanes } = this.#groupOf(q);
      const header = new Float32Array(this.#kernels.memory.buffer, at, 3 * QUERIES);
      header[lane] = scale;
      header[QUERIES + lane] = lengthOf(query) * (1 + 4 * UNIT);
      const numbers = new Int16Array(
        this.#kernels.memory.buffer,
        at + GROUP_HEADER,
        lanes * 8 * this.#vectors,
      );
      for (let v = lane; v < lanes * this.#vectors; v += lanes) numbers.fill(0, 8 * v, 8 * v + 8);
      for (let i = 0; i < query.length; i++) {
        const place = placeOf(i);
        numbers[8 * lanes * (place >> 3) + 8 * lane + (place & 7)] = Math.round(query[i]! / scale);
      }
    });
  }

  /**
   * Lists the rows of a block whose dot products may be as large as a bar.
   *
   * @param count at most {@linkcode BLOCK}.
   * @param barOf gives the bar of each query.
   * @param take gets, for each query with any, the rows in ascending order; they are overwritten later.
   */
  candidates(
    first: number,
    count: number,
    barOf: (query: number) => number,
    take: (query: number, rows: Uint32Array) => void,
  ): void {
    const { memory } = this.#kernels;
    const codes = this.#codesAt + first * (CODE_HEADER + 8 * this.#vectors);
    for (let q = 0; q < this.#queries;) {
      const { at, lanes } = this.#groupOf(q);
      const bars = new Float32Array(memory.buffer, at + 4 * 2 * QUERIES, lanes);
      for (let lane = 0; lane < lanes; lane++) bars[lane] = barOf(q + lane);
      const counts = this.#list(lanes, [codes, count, this.#vectors, at, first, this.#listsAt]);
      for (let lane = 0; lane < lanes; lane++, q++) {
        const list = this.#listsAt + 4 * BLOCK * lane;
        const length = counts[lane]!;
        if (length > 0) take(q, new Uint32Array(memory.buffer as ArrayBuffer, list, length));
      }
    }
  }

  /** Runs the kernel for one query or four; returns the lengths of their lists. */
  #list(
    lanes: number,
    args: Parameters<ReturnType<typeof instantiateKernels>["candidates"]>,
  ): ArrayLike<number> {
    if (lanes === 1) return [this.#kernels.candidates(...args)];
    this.#kernels.candidatesFour(...args, BLOCK, this.#countsAt);
    return new Int32Array(this.#kernels.memory.buffer, this.#countsAt, QUERIES).slice();
  }

  /** A query's group and its place in it: four queries while there are four, then groups of one. */
  #groupOf(q: number): { at: number; lane: number; lanes: number } {
    const inFours = this.#queries - this.#queries % QUERIES;
    if (q < inFours) {
      return { at: Math.floor(q / QUERIES) * this.#groupSize, lane: q % QUERIES, lanes: QUERIES };
    }
    const alone = GROUP_HEADER + 16 * this.#vectors;
    const at = inFours / QUERIES * this.#groupSize + (q - inFours) * alone;
    return { at, lane: 0, lanes: 1 };
  }
}

function lengthOf(query: Float32Array): number {
  let squares = 0;
  for (const x of query) squares += x * x;
  return Math.sqrt(squares);
}

/** The smallest scale with which numbers fit into int16 and their sum stays below the largest one. */
function scaleOf(query: Float32Array, numbers: number): number {
  let largest = 0, sum = 0;
  for (const x of query) {
    const size = Math.abs(x);
    if (size > largest) largest = size;
    sum += size;
  }
  // Each number is rounded by 1/2 at most.
  const least = Math.max(largest / MAX_NUMBER, sum / (MAX_SUM - numbers / 2));
  return Math.fround(least * (1 + 2 * UNIT));
}
