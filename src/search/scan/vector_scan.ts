import {
  BLOCK,
  growTo,
  instantiateKernels,
  MAX_BYTES,
  placeOf,
  QUERIES,
  vectorsOf,
} from "./kernels.ts";
import { CODED_QUERIES, RowCodes } from "./row_codes.ts";
import { type Hit, TopHits } from "./top_hits.ts";

/** Making the codes of rows takes about as long as they save in so many queries. */
const ENCODE_AFTER = 31;
/** With codes, the first rows are fewer at a time: their exact products make the bar for those that follow. */
const FIRST_ROWS = 64;
/** A search for so large a share of the rows computes most products exactly, for which codes are no help. */
const MAX_SHARE = 1 / 8;

/** Settings of a {@linkcode VectorScan}. */
export interface VectorScanOptions {
  /**
   * How many queries are compared with every row before the rows are encoded in int8, which makes further ones
   * faster and takes half as much memory again; default 31. `Infinity`: never.
   */
  readonly encodeAfter?: number;
}

/** What a search does with products. */
interface Visitor {
  /** By row, 1 for those to search; default all. */
  readonly isAllowed?: Uint8Array | undefined;
  /** What a product must reach; it may rise, and lower ones may be visited as well. */
  barOf(query: number): number;
  /** Takes products of a query with rows: those from `first` on, or with `slots` given, these. */
  take(query: number, scores: Float32Array, first: number, slots?: Uint32Array): void;
}

/** The bytes that a vector of so many numbers takes in a {@linkcode VectorScan}. */
export function rowBytes(dimension: number): number {
  return 16 * vectorsOf(dimension);
}

/**
 * Finds the rows of a matrix, float16 [count, dimension], that have the largest dot products with a query,
 * exactly, in WebAssembly SIMD. Sums are float32 and have the same bits on every processor.
 *
 * The first queries are compared with every row. Then the rows are encoded in int8 ({@linkcode RowCodes}), which
 * takes half as much memory again: queries are compared with the codes, and with those rows that may be among the
 * nearest ones. The result is the same to the bit. If there is no memory for codes, it goes on without.
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
  readonly #kernels = instantiateKernels();
  /** The 16-byte vectors of a row. */
  readonly #vectors: number;
  readonly #slotsAt: number;
  readonly #scoresAt: number;
  readonly #rowsAt: number;
  #count = 0;
  readonly #encodeAfter: number;
  /** The queries so far that codes would have helped. */
  #queries = 0;
  #codes: RowCodes | undefined;

  /** Has no rows yet. */
  constructor(dimension: number, { encodeAfter = ENCODE_AFTER }: VectorScanOptions = {}) {
    this.dimension = dimension;
    this.#encodeAfter = encodeAfter;
    this.#vectors = vectorsOf(dimension);
    this.#slotsAt = CODED_QUERIES * 2 * rowBytes(dimension);
    this.#scoresAt = this.#slotsAt + 4 * BLOCK;
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
    const bytes = this.#rowsAt + count * rowBytes(this.dimension);
    if (bytes > MAX_BYTES) {
      throw new RangeError(
        `Cannot search ${count} vectors of ${this.dimension} numbers: they take ${bytes} bytes of ` +
          `the 4 GiB that there are; split the index`,
      );
    }
    growTo(this.#kernels, bytes);
    this.#count = count;
  }

  /**
   * A view of rows, to write them: float16 bits [count, {@linkcode rowBytes} / 2], with zeros behind the numbers
   * of each. It is detached by {@linkcode reserve}. Write before the next search, which may encode the rows.
   */
  rows(first: number, count: number): Uint16Array {
    this.#codes?.forget(first);
    return this.#view(first, count);
  }

  /** A copy of a row: float16 bits [D]. */
  row(slot: number): Uint16Array {
    return this.#view(slot, 1).slice(0, this.dimension);
  }

  #view(first: number, count: number): Uint16Array {
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
    this.#visit(queries, k <= this.#count * MAX_SHARE, 0, {
      isAllowed,
      barOf: (q) => tops[q]!.bar,
      take(q, scores, first, slots) {
        const top = tops[q]!;
        let { bar } = top;
        for (let i = 0; i < scores.length; i++) {
          const score = scores[i]!;
          if (!(score > bar)) continue;
          const slot = slots ? slots[i]! : first + i;
          if (isAllowed && isAllowed[slot] !== 1) continue;
          top.offer(slot, score);
          bar = top.bar;
        }
      },
    });
    return tops.map((top) => top.sorted());
  }

  /**
   * Visits the rows whose dot product with a query is at least a threshold, for each query in ascending order of
   * the rows.
   *
   * @param queries as for {@linkcode nearest}.
   * @param first the first row to visit.
   */
  above(
    queries: readonly Float32Array[],
    threshold: number,
    visit: (query: number, hit: Hit) => void,
    first = 0,
  ): void {
    this.#visit(queries, true, first, {
      barOf: () => threshold,
      take(q, scores, from, slots) {
        for (let i = 0; i < scores.length; i++) {
          const similarity = scores[i]!;
          if (similarity >= threshold) visit(q, { slot: slots ? slots[i]! : from + i, similarity });
        }
      },
    });
  }

  /** Computes the products of queries with rows from one on, or with codes with those that may reach a bar. */
  #visit(
    queries: readonly Float32Array[],
    mayUseCodes: boolean,
    first: number,
    visitor: Visitor,
  ): void {
    for (const { length } of queries) {
      if (length === this.dimension) continue;
      throw new RangeError(
        `Cannot search: the query has ${length} numbers, the vectors ${this.dimension}`,
      );
    }
    if (this.#count === 0) return;
    const codes = mayUseCodes && RowCodes.canBound(queries) && this.#encoded(queries.length);
    if (codes) this.#visitCandidates(queries, codes, first, visitor);
    else this.#visitAll(queries, first, visitor);
  }

  /** The codes of all rows, if there have been enough queries, and there is memory. */
  #encoded(queries: number): RowCodes | undefined {
    this.#queries += queries;
    if (this.#queries <= this.#encodeAfter) return undefined;
    try {
      this.#codes ??= new RowCodes(this.dimension);
      const { count } = this.#codes;
      if (count < this.#count) this.#codes.append(this.#view(count, this.#count - count));
      return this.#codes;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return undefined;
    }
  }

  /** Blocks of a query come in order. */
  #visitAll(queries: readonly Float32Array[], start: number, visitor: Visitor): void {
    const size = rowBytes(this.dimension);
    const kernels = this.#kernels;
    for (let from = 0; from < queries.length; from += QUERIES) {
      const some = queries.slice(from, from + QUERIES);
      some.forEach((query, q) => this.#putQuery(query, q));
      for (let first = start; first < this.#count; first += BLOCK) {
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
          visitor.take(from + q, new Float32Array(kernels.memory.buffer, at, count), first);
        }
      }
    }
  }

  #visitCandidates(
    queries: readonly Float32Array[],
    codes: RowCodes,
    start: number,
    visitor: Visitor,
  ): void {
    const { isAllowed } = visitor;
    for (let from = 0; from < queries.length; from += CODED_QUERIES) {
      const some = queries.slice(from, from + CODED_QUERIES);
      some.forEach((query, q) => this.#putQuery(query, q));
      codes.setQueries(some);
      for (let first = start, count = FIRST_ROWS; first < this.#count; first += count) {
        // As many as there were before, up to a block.
        count = Math.min(BLOCK, this.#count - first, Math.max(FIRST_ROWS, first - start));
        codes.candidates(first, count, (q) => visitor.barOf(from + q), (q, candidates) => {
          const slots = isAllowed ? candidates.filter((slot) => isAllowed[slot] === 1) : candidates;
          if (slots.length > 0) visitor.take(from + q, this.#scoresOf(q, slots), first, slots);
        });
      }
    }
  }

  /** The products of a query that was put with some rows; overwritten later. */
  #scoresOf(q: number, slots: Uint32Array): Float32Array {
    const { memory } = this.#kernels;
    new Uint32Array(memory.buffer, this.#slotsAt, slots.length).set(slots);
    this.#kernels.scanSome(
      this.#rowsAt,
      this.#slotsAt,
      slots.length,
      this.#vectors,
      2 * rowBytes(this.dimension) * q,
      this.#scoresAt,
    );
    return new Float32Array(memory.buffer, this.#scoresAt, slots.length);
  }

  #putQuery(query: Float32Array, q: number): void {
    const size = 2 * rowBytes(this.dimension);
    const to = new Float32Array(this.#kernels.memory.buffer, size * q, size / 4).fill(0);
    // Larger, as the kernel's rows are smaller.
    for (let i = 0; i < query.length; i++) to[placeOf(i)] = query[i]! * 2 ** 112;
  }
}
