/** The bytes of hexadecimal digits. `Uint8Array.fromHex` is missing on hosts with an older V8. */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: digits.length / 2 },
    (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** The hexadecimal digits of bytes, in lower case. */
export function toHexDigits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
