/**
 * Keeps the fewest patches, the heaviest first, whose weights reach a share of the sum of all, as the
 * `--threshold` of DINO's `visualize_attention.py` does. Of equal weights the first come first.
 *
 * @param weights [N], at least 0; NaN, a dropped patch, is never kept.
 * @param share above 0 and up to 1.
 * @returns [N]: 1 for the patches that are kept, else 0.
 * @throws {RangeError} if the share is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { massMask } from "./mass_mask.ts";
 *
 * assertEquals(massMask(Float32Array.of(1, 4, NaN, 3), 0.6), Uint8Array.of(0, 1, 0, 1));
 * ```
 */
export function massMask(weights: Float32Array, share: number): Uint8Array {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(
      `Cannot keep a share of ${share} of the attention: it is not above 0 and at most 1`,
    );
  }
  const order = [...weights.keys()].filter((i) => weights[i]! > 0)
    .sort((a, b) => weights[b]! - weights[a]!);
  const wanted = share * order.reduce((sum, i) => sum + weights[i]!, 0);
  const mask = new Uint8Array(weights.length);
  let kept = 0;
  for (const i of order) {
    if (kept >= wanted) break;
    mask[i] = 1;
    kept += weights[i]!;
  }
  return mask;
}
