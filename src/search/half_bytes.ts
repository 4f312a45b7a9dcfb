/** The bytes of halves, without a copy. */
export function bytesOfHalves({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Halves of bytes as a database gives them, which may lie anywhere. */
export function halvesOfBytes(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer);
}
