import searchWasm from "../../../wasm/search.wasm.ts";
import { compileWasm } from "../../host/wasm_source.ts";
import { type Hit, TopHits } from "./top_hits.ts";

/** The exports of `wasm/assembly/search.ts`. */
interface Kernels {
  readonly memory: WebAssembly.Memory;
  scan(rows: number, count: number, vectors: number, query: number, scores: number): void;
  scanFour(
    rows: number,
    count: number,
    vectors: number,
    queries: number,
    scores: number,
    stride: number,
  ): void;
  checksum(rows: number, count: number, vectors: number, first: number): number;
}

/** A 16-byte vector of float16 numbers: rows are padded with zeros to a multiple of it. */
const NUMBERS = 8;
const ROW_ALIGNMENT = 16;
/** Rows whose scores are computed at a time: with 384 numbers a row, 0.8 MB, which a cache keeps for further queries. */
const BLOCK = 1024;
/** Queries that a kernel takes at a time. */
const QUERIES = 4;
const PAGE = 65_536;
/** What WebAssembly can address. */
const MAX_BYTES = 2 ** 32 - PAGE;

/** The bytes that a vector of so many numbers takes in a {@linkcode VectorScan}. */
export function rowBytes(dimension: number): number {
  return Math.ceil(dimension / NUMBERS) * ROW_ALIGNMENT;
}

/**
 * Finds the rows of a matrix, float16 [count, dimension], that have the largest dot products with a query,
 * exactly: every row is compared, in WebAssembly SIMD. The sums are of float32 numbers and have the same
 * bits on every processor.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { VectorScan } from "./vector_scan.ts";
 *
 * const scan = new VectorScan(2);
 * const ONE = 0x3c00; // in float16
 * scan.reserve(2);
 * scan.rows(0, 1).set([ONE, 0]);
 * scan.rows(1, 1).set([0, ONE]);
 * const [hits] = scan.nearest([Float32Array.of(0.25, 0.5)], 1);
 * assertEquals(hits, [{ slot: 1, similarity: 0.5 }]);
 * ```
 */
export class VectorScan {
  /** The numbers of a vector. */
  readonly dimension: number;
  readonly #kernels: Kernels;
  /** The 16-byte vectors of a row. */
  readonly #vectors: number;
  readonly #scoresAt: number;
  readonly #rowsAt: number;
  #count = 0;

  /** Has no rows yet. */
  constructor(dimension: number) {
    this.dimension = dimension;
    this.#kernels = new WebAssembly.Instance(compileWasm(searchWasm)).exports as unknown as Kernels;
    this.#vectors = rowBytes(dimension) / ROW_ALIGNMENT;
    this.#scoresAt = QUERIES * 2 * rowBytes(dimension);
    this.#rowsAt = this.#scoresAt + QUERIES * 4 * BLOCK;
  }

  /** The number of rows. */
  get count(): number {
    return this.#count;
  }

  /**
   * Makes room for so many rows, all of them searched.
   *
   * @throws {RangeError} if they would not fit into 4 GiB, or memory runs out.
   */
  reserve(count: number): void {
    const { memory } = this.#kernels;
    const size = rowBytes(this.dimension);
    const bytes = this.#rowsAt + count * size;
    if (bytes > MAX_BYTES) {
      throw new RangeError(
        `Cannot search ${count} vectors of ${this.dimension} numbers: they take ${bytes} bytes of ` +
          `the 4 GiB that there are; split the index`,
      );
    }
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    this.#count = count;
  }

  /**
   * A view of rows, to write them: float16 bits [count, {@linkcode rowBytes} / 2], with zeros behind the numbers
   * of each. It is detached by {@linkcode reserve}.
   */
  rows(first: number, count: number): Uint16Array {
    const size = rowBytes(this.dimension);
    const { buffer } = this.#kernels.memory;
    return new Uint16Array(
      buffer as ArrayBuffer,
      this.#rowsAt + first * size,
      count * size / 2,
    );
  }

  /**
   * The sum, modulo 2^32, of a hash of each row and its number: rows can be added to it later.
   *
   * @param number of the first row, if it is another one elsewhere.
   */
  checksum(first: number, count: number, number: number = first): number {
    const at = this.#rowsAt + first * rowBytes(this.dimension);
    return this.#kernels.checksum(at, count, this.#vectors, number) >>> 0;
  }

  /**
   * The rows with the largest dot products with each query.
   *
   * @param queries each of {@linkcode dimension} finite numbers, below 32768 in size.
   * @param isAllowed by row, 1 for those to search; default all.
   * @returns for each query at most `k` hits, the best one first; of equal ones, the one with the lower slot.
   */
  nearest(queries: readonly Float32Array[], k: number, isAllowed?: Uint8Array): Hit[][] {
    const tops = queries.map(() => new TopHits(k));
    this.#eachBlock(queries, (q, first, scores) => {
      const top = tops[q]!;
      let { bar } = top;
      for (let i = 0; i < scores.length; i++) {
        const score = scores[i]!;
        if (!(score > bar) || isAllowed && isAllowed[first + i] !== 1) continue;
        top.offer(first + i, score);
        bar = top.bar;
      }
    });
    return tops.map((top) => top.sorted());
  }

  /**
   * Visits the rows whose dot product with a query is at least a threshold, for each query in ascending order of
   * the rows.
   *
   * @param queries as for {@linkcode nearest}.
   */
  above(
    queries: readonly Float32Array[],
    threshold: number,
    visit: (query: number, hit: Hit) => void,
  ): void {
    this.#eachBlock(queries, (q, first, scores) => {
      for (let i = 0; i < scores.length; i++) {
        const similarity = scores[i]!;
        if (similarity >= threshold) visit(q, { slot: first + i, similarity });
      }
    });
  }

  /** Computes the scores of blocks of rows; blocks of a query come in order. */
  #eachBlock(
    queries: readonly Float32Array[],
    take: (query: number, first: number, scores: Float32Array) => void,
  ): void {
    const size = rowBytes(this.dimension);
    const kernels = this.#kernels;
    for (let from = 0; from < queries.length; from += QUERIES) {
      const some = queries.slice(from, from + QUERIES);
      some.forEach((query, q) => this.#putQuery(query, q));
      for (let first = 0; first < this.#count; first += BLOCK) {
        const count = Math.min(BLOCK, this.#count - first);
        const rows = this.#rowsAt + first * size;
        if (some.length === QUERIES) {
          kernels.scanFour(rows, count, this.#vectors, 0, this.#scoresAt, 4 * BLOCK);
        } else {
          some.forEach((_, q) =>
            kernels.scan(rows, count, this.#vectors, 2 * size * q, this.#scoresAt + 4 * BLOCK * q)
          );
        }
        for (let q = 0; q < some.length; q++) {
          const at = this.#scoresAt + 4 * BLOCK * q;
          take(from + q, first, new Float32Array(kernels.memory.buffer, at, count));
        }
      }
    }
  }

  /** Of each eight numbers the even ones, then the odd ones: the order in which the kernel widens rows. */
  #putQuery(query: Float32Array, q: number): void {
    if (query.length !== this.dimension) {
      throw new RangeError(
        `Cannot search: the query has ${query.length} numbers, the vectors ${this.dimension}`,
      );
    }
    const size = 2 * rowBytes(this.dimension);
    const to = new Float32Array(this.#kernels.memory.buffer, size * q, size / 4).fill(0);
    for (let i = 0; i < query.length; i++) {
      const place = (i & ~7) + (i & 1 ? 4 : 0) + (i >> 1 & 3);
      to[place] = query[i]! * 2 ** 112;
    }
  }
}
