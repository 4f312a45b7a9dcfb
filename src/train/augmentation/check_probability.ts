/**
 * Checks a probability.
 *
 * @throws {RangeError} if it is not a number from 0 to 1.
 */
export function checkProbability(probability: number, what: string): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(
      `Cannot augment: ${what} is ${probability}; give a probability from 0 to 1`,
    );
  }
}
