/** FNV-1a, a number at a time, with the count: tells whether a resumed training has the same numbers. */
export function hashNumbers(numbers: ArrayLike<number>): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < numbers.length; i++) hash = Math.imul(hash ^ numbers[i]! + 1, 0x01000193);
  return `${hash.toString(16)}-${numbers.length}`;
}

/** The hash of a float's bits. */
export function hashFloats({ buffer, byteOffset, length }: Float32Array): string {
  return hashNumbers(new Uint32Array(buffer, byteOffset, length));
}
