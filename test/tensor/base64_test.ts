import { assertEquals, assertThrows } from "@std/assert";
import { fromBase64, toBase64 } from "../../src/tensor/base64.ts";

const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
const text = bytes.toBase64();

/** Does work as on a host without the methods. */
function withoutMethods(work: () => void): void {
  const { fromBase64 } = Uint8Array;
  const { toBase64 } = Uint8Array.prototype;
  Reflect.deleteProperty(Uint8Array, "fromBase64");
  Reflect.deleteProperty(Uint8Array.prototype, "toBase64");
  try {
    work();
  } finally {
    Object.assign(Uint8Array, { fromBase64 });
    Object.assign(Uint8Array.prototype, { toBase64 });
  }
}

function check(): void {
  assertEquals(toBase64(bytes), text);
  assertEquals(fromBase64(text), bytes);
  assertEquals(fromBase64("").length, 0);
  assertThrows(() => fromBase64("a*b="));
}

Deno.test("base64 with the host's methods", check);

Deno.test("base64 on a host without these methods", () => withoutMethods(check));
