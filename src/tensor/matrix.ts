import matmulWasm from "../../wasm/matmul.wasm.ts";
import { compileWasm } from "../host/wasm_source.ts";
import type { Tensor } from "./tensor.ts";

/** A row-major matrix in double precision. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns] */
  readonly data: Float64Array;
}

/** Makes a matrix from rows of equal length; without rows, [0, 0]. */
export function matrixOf(rows: readonly ArrayLike<number>[]): Matrix {
  const columns = rows[0]?.length ?? 0;
  const data = new Float64Array(rows.length * columns);
  rows.forEach((row, r) => data.set(row, r * columns));
  return { rows: rows.length, columns, data };
}

/** Makes a matrix from a float32 tensor [rows, columns]. */
export function toMatrix({ shape: [rows, columns], data }: Tensor<"float32">): Matrix {
  return { rows: rows!, columns: columns!, data: Float64Array.from(data) };
}

/** Rounds a matrix to a float32 tensor [rows, columns]. */
export function toTensor({ rows, columns, data }: Matrix): Tensor<"float32"> {
  return { dtype: "float32", shape: [rows, columns], data: Float32Array.from(data) };
}

/** A view of one row. */
export function rowOf({ columns, data }: Matrix, row: number): Float64Array {
  return data.subarray(row * columns, (row + 1) * columns);
}

/** The transposed matrix, a copy. */
export function transpose({ rows, columns, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!;
  }
  return { rows: columns, columns: rows, data: out };
}

/**
 * The product of two matrices, computed with WebAssembly SIMD.
 *
 * @param a [m, k]
 * @param b [k, n]
 * @returns [m, n], the same bits on every processor.
 * @throws {RangeError} if `a.columns` is not `b.rows`, or memory runs out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { matmul, matrixOf } from "./matrix.ts";
 *
 * const product = matmul(matrixOf([[1, 2]]), matrixOf([[3], [4]]));
 * assertEquals(product.data, Float64Array.of(11));
 * ```
 */
export function matmul(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) {
    throw new RangeError(
      `Cannot multiply [${a.rows}, ${a.columns}] by [${b.rows}, ${b.columns}]`,
    );
  }
  const [m, k, n] = [a.rows, a.columns, b.columns];
  const stride = Math.ceil(n / PANEL) * PANEL;
  const placeB = m * k;
  const placeC = placeB + k * stride;
  const placePanel = placeC + m * stride;
  const numbers = memoryOf(placePanel + k * PANEL);
  numbers.set(a.data);
  copyRows(b.data, n, numbers.subarray(placeB, placeC), stride, k);
  kernels!.matmul(0, BYTES * placeB, BYTES * placeC, m, k, stride, BYTES * placePanel);
  const data = new Float64Array(m * n);
  copyRows(numbers.subarray(placeC, placePanel), stride, data, n, m);
  return { rows: m, columns: n, data };
}

/** The exports of `wasm/assembly/matmul.ts`. */
interface Kernels {
  readonly memory: WebAssembly.Memory;
  readonly matmul: (...args: number[]) => void;
}

let kernels: Kernels | undefined;

/** The number of columns of b that the kernel processes at a time. */
const PANEL = 4;
const BYTES = Float64Array.BYTES_PER_ELEMENT;
const PAGE = 65_536;

/** The kernel's memory, grown to hold at least `count` numbers. */
function memoryOf(count: number): Float64Array {
  kernels ??= new WebAssembly.Instance(compileWasm(matmulWasm))
    .exports as unknown as Kernels;
  const missing = BYTES * count - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE));
  return new Float64Array(kernels.memory.buffer);
}

/** Copies rows into a matrix with another stride. Padding columns keep stale values: no result reads them. */
function copyRows(
  from: Float64Array,
  columns: number,
  to: Float64Array,
  stride: number,
  rows: number,
): void {
  if (columns === stride) return to.set(from.subarray(0, rows * columns));
  const width = Math.min(columns, stride);
  for (let r = 0; r < rows; r++) {
    to.set(from.subarray(r * columns, r * columns + width), r * stride);
  }
}
