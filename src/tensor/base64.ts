// Base64 with a fallback for hosts that lack `Uint8Array.fromBase64` and `toBase64`, as Node.js before 25.

interface MaybeToBase64 {
  toBase64?(): string;
}

interface MaybeFromBase64 {
  fromBase64?(base64: string): Uint8Array<ArrayBuffer>;
}

/** Encodes bytes in base64. */
export function toBase64(bytes: Uint8Array & MaybeToBase64): string {
  if (bytes.toBase64) return bytes.toBase64();
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * Decodes base64.
 *
 * @throws {Error} if the text is not valid base64.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fromBase64, toBase64 } from "./base64.ts";
 *
 * assertEquals(fromBase64(toBase64(Uint8Array.of(1, 2, 255))), Uint8Array.of(1, 2, 255));
 * ```
 */
export function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as MaybeFromBase64;
  if (fromBase64) return fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
