/**
 * A figure as JSON has it: what is not finite, as in a run that diverged, is null.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jsonNumber } from "./json_number.ts";
 *
 * assertEquals([0.5, NaN, -Infinity].map(jsonNumber), [0.5, null, null]);
 * ```
 */
export function jsonNumber(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
