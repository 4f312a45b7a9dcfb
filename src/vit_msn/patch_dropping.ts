import { uniform } from "../tensor/uniform.ts";

/** Which patches of each image go on; the others are dropped, as in MSN's training. */
export interface KeepOptions {
  /**
   * The share of patches to keep, above 0 and up to 1; default 1, all. The time that the model takes
   * falls about in proportion.
   */
  readonly keepPatches?: number;
  /** Of the choice of patches, an integer; default 0. The same seed keeps the same patches. */
  readonly seed?: number;
}

/**
 * Chooses patches evenly: the grid, row by row, is divided into as many runs as patches are to be
 * kept, and of each run one is taken at random.
 *
 * @param count N, the patches there are.
 * @returns their numbers from 0 to N - 1, ascending; at least one.
 * @throws {RangeError} if `keepPatches` is out of range, or `seed` is no integer.
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
      `Cannot keep a share of ${keepPatches} of the patches: it is above 0 and up to 1`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`Cannot choose patches by the seed ${seed}: it is an integer`);
  }
  const kept = Math.max(1, Math.round(count * keepPatches));
  const random = uniform(seed);
  return Array.from({ length: kept }, (_, i) => {
    const first = Math.floor(i * count / kept);
    const end = Math.floor((i + 1) * count / kept);
    return first + Math.floor(random() * (end - first));
  });
}
