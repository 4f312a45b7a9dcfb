/** @throws {RangeError} if an array is given that does not have so many numbers. */
export function expectLength(
  name: string,
  array: ArrayLike<number> | undefined,
  length: number,
): void {
  if (!array || array.length === length) return;
  throw new RangeError(`Cannot train: ${name} has ${array.length} numbers, not ${length}`);
}
