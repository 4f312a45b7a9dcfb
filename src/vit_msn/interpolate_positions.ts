import type { Tensor } from "../tensor/tensor.ts";

/** Rows and columns of patches. */
export type Grid = readonly [rows: number, columns: number];

/**
 * Interpolates position embeddings to another grid of patches, as Hugging Face's `interpolate_pos_encoding`
 * does: the patches' embeddings by PyTorch's bicubic interpolation (a = -0.75, align_corners false, no
 * antialias, borders repeated); the embedding of CLS is copied.
 *
 * @param positions [1, 1 + rows·columns, D], CLS first.
 * @returns [1, 1 + newRows·newColumns, D]
 */
export function interpolatePositions(
  positions: Tensor<"float32">,
  [rows, columns]: Grid,
  [newRows, newColumns]: Grid,
): Tensor<"float32"> {
  if (rows === newRows && columns === newColumns) return positions;
  const D = positions.shape[2]!;
  const data = new Float32Array((1 + newRows * newColumns) * D);
  data.set(positions.data.subarray(0, D));
  const vertical = taps(rows, newRows);
  const horizontal = taps(columns, newColumns);
  vertical.forEach((rowTaps, y) => {
    horizontal.forEach((columnTaps, x) => {
      const to = (1 + y * newColumns + x) * D;
      for (let d = 0; d < D; d++) {
        let sum = 0;
        for (const [row, rowWeight] of rowTaps) {
          for (const [column, columnWeight] of columnTaps) {
            const from = (1 + row * columns + column) * D + d;
            sum += rowWeight * columnWeight * positions.data[from]!;
          }
        }
        data[to + d] = sum;
      }
    });
  });
  return { dtype: "float32", shape: [1, 1 + newRows * newColumns, D], data };
}

/**
 * The backward of {@linkcode interpolatePositions}: with pos' = M pos Mᵀ along both axes, d_pos = Mᵀ d_pos' M.
 *
 * @param gradient [1, 1 + newRows·newColumns, D], of the interpolated embeddings.
 * @returns [1, 1 + rows·columns, D]
 */
export function positionsGradient(
  gradient: Tensor<"float32">,
  [rows, columns]: Grid,
  [newRows, newColumns]: Grid,
): Tensor<"float32"> {
  if (rows === newRows && columns === newColumns) return gradient;
  const D = gradient.shape[2]!;
  const data = new Float32Array((1 + rows * columns) * D);
  data.set(gradient.data.subarray(0, D));
  const vertical = taps(rows, newRows);
  const horizontal = taps(columns, newColumns);
  vertical.forEach((rowTaps, y) => {
    horizontal.forEach((columnTaps, x) => {
      const from = (1 + y * newColumns + x) * D;
      for (const [row, rowWeight] of rowTaps) {
        for (const [column, columnWeight] of columnTaps) {
          const to = (1 + row * columns + column) * D;
          const weight = rowWeight * columnWeight;
          for (let d = 0; d < D; d++) data[to + d]! += weight * gradient.data[from + d]!;
        }
      }
    });
  });
  return { dtype: "float32", shape: [1, 1 + rows * columns, D], data };
}

/** The four input positions and weights of each output position (Keys' cubic convolution). */
function taps(inSize: number, outSize: number): [position: number, weight: number][][] {
  return Array.from({ length: outSize }, (_, out) => {
    const center = (out + 0.5) * inSize / outSize - 0.5;
    const first = Math.floor(center) - 1;
    return [0, 1, 2, 3].map((i) => {
      const position = Math.min(Math.max(first + i, 0), inSize - 1);
      return [position, cubic(Math.abs(first + i - center))];
    });
  });
}

function cubic(x: number): number {
  const a = -0.75;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}
