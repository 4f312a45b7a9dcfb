/** A threshold of near-duplicates and what it was measured to do. */
export interface DuplicateThreshold {
  /** The least similarity of near-duplicates. */
  readonly threshold: number;
  /** The part of slightly changed copies that are at least as similar to their originals. */
  readonly found: number;
  /** The part of images that have a different image at least as similar. */
  readonly falsePositives: number;
}

/** The part of changed copies that should be found. */
const FOUND = 0.95;
/** The part of images that may have a different one above the threshold. */
const FALSE_POSITIVES = 0.01;

/**
 * Chooses a threshold that finds 95 % of slightly changed copies; a higher one, if more than 1 % of the images
 * had a different image above it.
 *
 * @param copies the similarities of images and slightly changed copies of them.
 * @param others for each image the similarity of the most similar one that is a different picture.
 * @throws {RangeError} if there are no copies.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { duplicateThreshold } from "./duplicate_threshold.ts";
 *
 * const chosen = duplicateThreshold([0.97, 0.98, 0.99], [0.4, 0.5, 0.6]);
 * assertEquals(chosen, { threshold: 0.97, found: 1, falsePositives: 0 });
 * ```
 */
export function duplicateThreshold(
  copies: readonly number[],
  others: readonly number[],
): DuplicateThreshold {
  if (copies.length === 0) {
    throw new RangeError("Cannot choose a threshold: there are no copies to find");
  }
  const ascending = copies.toSorted((a, b) => a - b);
  const finds = ascending[Math.floor((1 - FOUND) * ascending.length)]!;
  const descending = others.toSorted((a, b) => b - a);
  // As many as are allowed may be above.
  const bar = descending[Math.floor(FALSE_POSITIVES * descending.length)] ?? -Infinity;
  const threshold = finds > bar ? finds : above(bar);
  const share = (numbers: readonly number[]) =>
    numbers.length === 0 ? 0 : numbers.filter((x) => x >= threshold).length / numbers.length;
  return { threshold, found: share(copies), falsePositives: share(others) };
}

/** The next similarity, in steps of float32, which a scan computes in. */
function above(similarity: number): number {
  return similarity + 2 ** -23;
}
