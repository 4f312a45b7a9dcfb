/** A direction on the map. */
export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

const STEPS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
} as const;

/**
 * The next point from one in a direction: the nearest of those that lie rather in it than beside it.
 *
 * @param points x and y of each, y downwards.
 * @returns the same point if there is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stepTowards } from "./step_towards.ts";
 *
 * const points = Float32Array.of(0, 0, 2, 1, 1, 9);
 * assertEquals(stepTowards(points, 0, "ArrowRight"), 1);
 * assertEquals(stepTowards(points, 0, "ArrowDown"), 2);
 * assertEquals(stepTowards(points, 0, "ArrowLeft"), 0);
 * ```
 */
export function stepTowards(points: Float32Array, from: number, direction: Direction): number {
  const [stepX, stepY] = STEPS[direction];
  let [best, least] = [from, Infinity];
  for (let i = 0; i < points.length / 2; i++) {
    const dx = points[2 * i]! - points[2 * from]!;
    const dy = points[2 * i + 1]! - points[2 * from + 1]!;
    const ahead = dx * stepX + dy * stepY;
    const beside = Math.abs(dx * stepY) + Math.abs(dy * stepX);
    if (ahead <= 0 || beside > ahead) continue;
    const distance = ahead + 2 * beside;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}
