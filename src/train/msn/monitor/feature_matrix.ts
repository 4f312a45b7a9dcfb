import { type Matrix, rowOf } from "../../../tensor/matrix.ts";

/**
 * Copies features into a matrix [n, D].
 *
 * @param purpose what cannot be done without them, for the error message, such as "measure the rank".
 * @throws {RangeError} if there are none, their lengths differ, or a number is not finite.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { featureMatrix } from "./feature_matrix.ts";
 *
 * const { rows, columns } = featureMatrix([Float32Array.of(1, 2, 3)], "count");
 * assertEquals([rows, columns], [1, 3]);
 * ```
 */
export function featureMatrix(features: readonly Float32Array[], purpose: string): Matrix {
  const columns = features[0]?.length ?? 0;
  if (columns === 0) throw new RangeError(`Cannot ${purpose}: there are no features`);
  const data = new Float64Array(features.length * columns);
  features.forEach((feature, row) => {
    if (feature.length !== columns) {
      throw new RangeError(
        `Cannot ${purpose}: feature ${row} has ${feature.length} numbers, the first has ${columns}`,
      );
    }
    if (!feature.every(Number.isFinite)) {
      throw new RangeError(
        `Cannot ${purpose}: feature ${row} has a number that is not finite; training has diverged`,
      );
    }
    data.set(feature, row * columns);
  });
  return { rows: features.length, columns, data };
}

/**
 * The same with each row divided by its Euclidean norm; a zero row has no direction and remains zero.
 *
 * @param purpose as for `featureMatrix`.
 * @throws {RangeError} as `featureMatrix` does.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { unitFeatureMatrix } from "./feature_matrix.ts";
 *
 * const { data } = unitFeatureMatrix([Float32Array.of(3, 4)], "compare");
 * assertEquals(data, Float64Array.of(0.6, 0.8));
 * ```
 */
export function unitFeatureMatrix(features: readonly Float32Array[], purpose: string): Matrix {
  const matrix = featureMatrix(features, purpose);
  for (let r = 0; r < matrix.rows; r++) {
    const row = rowOf(matrix, r);
    let squares = 0;
    for (const x of row) squares += x * x;
    const norm = Math.sqrt(squares);
    if (norm > 0) { for (let i = 0; i < row.length; i++) row[i]! /= norm; }
  }
  return matrix;
}
