import searchWasm from "../../../wasm/search.wasm.ts";
import { compileWasm } from "../../host/wasm_source.ts";

/** The exports of `wasm/assembly/search.ts`: addresses, counts, and 16-byte vectors of a row. */
export interface Kernels {
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
  scanSome(
    rows: number,
    numbers: number,
    count: number,
    vectors: number,
    query: number,
    scores: number,
  ): void;
  checksum(rows: number, count: number, vectors: number, first: number): number;
  encode(
    rows: number,
    count: number,
    vectors: number,
    codes: number,
    rounding: number,
    slack: number,
  ): void;
  candidates(
    codes: number,
    count: number,
    vectors: number,
    query: number,
    first: number,
    numbers: number,
  ): number;
  candidatesFour(
    codes: number,
    count: number,
    vectors: number,
    queries: number,
    first: number,
    numbers: number,
    capacity: number,
    counts: number,
  ): void;
}

/** Rows that are searched at a time: with 384 numbers a row, 0.8 MB, which a cache keeps for further queries. */
export const BLOCK = 1024;
/** Queries that a kernel takes at a time. */
export const QUERIES = 4;
/** What WebAssembly can address. */
export const MAX_BYTES = 2 ** 32 - 65_536;
/** A 16-byte vector of float16 numbers: rows are padded with zeros to a multiple of it. */
const NUMBERS = 8;
const PAGE = 65_536;

/** The 16-byte vectors of a row of so many numbers. */
export function vectorsOf(dimension: number): number {
  return Math.ceil(dimension / NUMBERS);
}

/** Where number `i` of a row is: of each eight numbers the even ones come first, then the odd ones. */
export function placeOf(i: number): number {
  return (i & ~7) + (i & 1 ? 4 : 0) + (i >> 1 & 3);
}

/** The kernels, with a memory of their own. */
export function instantiateKernels(): Kernels {
  return new WebAssembly.Instance(compileWasm(searchWasm)).exports as unknown as Kernels;
}

/**
 * Makes a memory at least so large.
 *
 * @throws {RangeError} if memory runs out.
 */
export function growTo({ memory }: Kernels, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
}
