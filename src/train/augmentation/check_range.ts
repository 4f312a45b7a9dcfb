/**
 * Checks a range `[low, high]` that numbers are drawn from.
 *
 * @param min the least `low` and `max` the greatest `high` that are allowed.
 * @throws {RangeError} unless min ≤ low ≤ high ≤ max.
 */
export function checkRange(
  [low, high]: readonly [number, number],
  min: number,
  max: number,
  what: string,
): void {
  if (!(min <= low && low <= high && high <= max)) {
    throw new RangeError(
      `Cannot augment: ${what} is [${low}, ${high}]; give two ascending numbers from ${min} to ${max}`,
    );
  }
}
