/**
 * Formats a tick of an axis. Ticks are round, so that no digits are lost; those of an axis are written in the
 * same way.
 *
 * @param largest the largest size of a tick of the axis.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tickText } from "./tick_text.ts";
 *
 * assertEquals([tickText(0.5, 2), tickText(5e-5, 1e-4), tickText(0, 1e-4)], ["0.5", "5e-5", "0"]);
 * ```
 */
export function tickText(value: number, largest: number): string {
  const isPlain = value === 0 || (largest > 1e-3 && largest < 1e6);
  return isPlain ? String(value) : value.toExponential();
}

/** Formats a tick of an axis of shares, from 0 to 1, in percent. */
export function shareTickText(share: number): string {
  return `${Number((100 * share).toPrecision(6))} %`;
}
