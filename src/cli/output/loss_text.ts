/**
 * Formats a loss or another positive figure of training with about four digits; what is not finite, as in a
 * run that diverged, keeps its name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { lossText } from "./loss_text.ts";
 *
 * assertEquals([1.23449, 0.0001234, 123456, NaN].map(lossText), ["1.234", "1.23e-4", "1.23e+5", "NaN"]);
 * ```
 */
export function lossText(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  return size === 0 || (size >= 1e-3 && size < 1e4) ? value.toFixed(3) : value.toExponential(2);
}
