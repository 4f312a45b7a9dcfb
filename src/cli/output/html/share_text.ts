import { percent } from "../../../heads/evaluate/percent.ts";

/**
 * Formats a share as a percentage; what is not finite, as in a run that diverged, keeps its name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { shareText } from "./share_text.ts";
 *
 * assertEquals([0.613, NaN].map(shareText), ["61.3 %", "NaN"]);
 * ```
 */
export function shareText(share: number): string {
  return Number.isFinite(share) ? percent(share) : String(share);
}
