/**
 * Checks an adjustment's factor.
 *
 * @throws {RangeError} if it is not a finite number of at least 0.
 */
export function checkFactor(factor: number, what: string): void {
  if (!(factor >= 0 && factor < Infinity)) {
    throw new RangeError(
      `Cannot adjust the ${what}: the factor is ${factor}; give a number of at least 0 (1 keeps the image)`,
    );
  }
}
