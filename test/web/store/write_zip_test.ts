import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { readZip } from "../../../src/checkpoint/zip.ts";
import { writeZip } from "../../../src/web/store/write_zip.ts";

Deno.test("a zip file has the names, sizes and checksums of its entries", () => {
  const zip = concat(writeZip(new Map([["ä.txt", new TextEncoder().encode("123456789")]])));
  const view = new DataView(zip.buffer);
  // CRC-32's check value, and the sizes
  assertEquals([14, 18, 22].map((at) => view.getUint32(at, true)), [0xcbf43926, 9, 9]);
  assertEquals(new TextDecoder().decode(readZip(zip).get("ä.txt")), "123456789");
});

Deno.test("a zip file takes 65,534 entries, and not one more", () => {
  const entries = (n: number) =>
    new Map(Array.from({ length: n }, (_, i) => [String(i), new Uint8Array()] as const));
  assertEquals(readZip(concat(writeZip(entries(65_534)))).size, 65_534);
  assertThrows(() => writeZip(entries(65_535)), RangeError, "65535 entries");
});
