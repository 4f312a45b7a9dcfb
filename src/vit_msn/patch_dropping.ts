import { uniform } from "../tensor/random.ts";

/** Which patches of each image to keep; the others are dropped, as in MSN's training. */
export interface KeepOptions {
  /**
   * The share of patches to keep, above 0 and up to 1; default 1. The model's time is about proportional
   * to it.
   */
  readonly keepPatches?: number;
  /** The seed of the random choice, an integer; default 0. The same seed keeps the same patches. */
  readonly seed?: number;
}

/**
 * Chooses patches by stratified sampling: divides the grid, in row-major order, into as many runs as patches to
 * keep, and draws one patch from each run.
 *
 * @param count N, the number of patches.
 * @returns the indices of the kept patches, 0 to N - 1, ascending; at least one.
 * @throws {RangeError} if `keepPatches` is out of range, or `seed` is not an integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { choosePatches } from "./patch_dropping.ts";
 *
 * assertEquals(choosePatches(196, { keepPatches: 0.25 }).length, 49);
 * ```
 */
export function choosePatches(
  count: number,
  { keepPatches = 1, seed = 0 }: KeepOptions,
): number[] {
  if (!(keepPatches > 0 && keepPatches <= 1)) {
    throw new RangeError(
      `Cannot keep a share of ${keepPatches} of the patches: it is not above 0 and at most 1`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`Cannot choose patches by the seed ${seed}: it is not an integer`);
  }
  const kept = Math.max(1, Math.round(count * keepPatches));
  const random = uniform(seed);
  return Array.from({ length: kept }, (_, i) => {
    const first = Math.floor(i * count / kept);
    const end = Math.floor((i + 1) * count / kept);
    return first + Math.floor(random() * (end - first));
  });
}
