// Base64 with a fallback for hosts whose V8 lacks `Uint8Array.fromBase64` and `toBase64`.

/** Encodes bytes in base64. */
export function toBase64(bytes: Uint8Array): string {
  if (typeof bytes.toBase64 === "function") return bytes.toBase64();
  let text = "";
  for (const byte of bytes as Uint8Array) text += String.fromCharCode(byte);
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
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(base64);
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
