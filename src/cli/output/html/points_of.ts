import type { Point } from "./thin_points.ts";

/**
 * The curve of a figure over records; those without it are left out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pointsOf } from "./points_of.ts";
 *
 * const records: { step: number; loss?: number }[] = [{ step: 0 }, { step: 60, loss: 2.5 }];
 * assertEquals(pointsOf(records, ({ step }) => step, ({ loss }) => loss), [[60, 2.5]]);
 * ```
 */
export function pointsOf<R>(
  records: readonly R[],
  x: (record: R) => number,
  figure: (record: R) => number | undefined,
): Point[] {
  return records.flatMap((record): Point[] => {
    const y = figure(record);
    return y === undefined ? [] : [[x(record), y]];
  });
}
