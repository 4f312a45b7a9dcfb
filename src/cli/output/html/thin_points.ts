/** A point of a curve; y is not finite where there is no figure. */
export type Point = readonly [x: number, y: number];

/**
 * Thins a curve to a number of points that a page can hold, so that it looks the same: the first and the
 * last point, and the lowest and the highest of each stretch between them.
 *
 * @param points in the order of x.
 * @param max at least 4.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { type Point, thinPoints } from "./thin_points.ts";
 *
 * const points = Array.from({ length: 1000 }, (_, x): Point => [x, x === 500 ? 9 : x % 2]);
 * const thin = thinPoints(points, 10);
 * assertEquals(thin.length, 10);
 * assert(thin.some(([_, y]) => y === 9));
 * ```
 */
export function thinPoints(points: readonly Point[], max: number): readonly Point[] {
  if (points.length <= max) return points;
  const inner = points.slice(1, -1);
  const stretches = Math.floor((max - 2) / 2);
  const kept = Array.from({ length: stretches }, (_, i) => {
    const from = Math.floor(i * inner.length / stretches);
    return extremes(inner.slice(from, Math.floor((i + 1) * inner.length / stretches)));
  });
  return [points[0]!, ...kept.flat(), points.at(-1)!];
}

/** The lowest and the highest point in the order of x; one point if no y is finite. */
function extremes(points: readonly Point[]): Point[] {
  const finite = points.filter(([_, y]) => Number.isFinite(y));
  if (finite.length === 0) return points.slice(0, 1);
  const lowest = finite.reduce((a, b) => b[1] < a[1] ? b : a);
  const highest = finite.reduce((a, b) => b[1] > a[1] ? b : a);
  return [...new Set([lowest, highest])].sort((a, b) => a[0] - b[0]);
}
