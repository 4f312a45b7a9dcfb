import { formatSeconds } from "./progress/bar.ts";

const [MINUTE, HOUR, DAY] = [60, 3600, 86400];

/**
 * Formats a duration, such as the time left: m:ss, from an hour on h:mm:ss, from a day on days and hours.
 *
 * @param seconds rounded up, so that 0:00 means that nothing is left.
 * @returns undefined if the duration is not known: not finite, or negative.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { durationText } from "./duration_text.ts";
 *
 * const texts = [250, 7509, 100_000, NaN].map(durationText);
 * assertEquals(texts, ["4:10", "2:05:09", "1 d 4 h", undefined]);
 * ```
 */
export function durationText(seconds: number): string | undefined {
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  const whole = Math.ceil(seconds);
  if (whole < HOUR) return formatSeconds(whole);
  if (whole < DAY) {
    const minutes = String(Math.floor(whole % HOUR / MINUTE)).padStart(2, "0");
    return `${Math.floor(whole / HOUR)}:${minutes}:${String(whole % MINUTE).padStart(2, "0")}`;
  }
  const hours = Math.ceil(whole / HOUR);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
