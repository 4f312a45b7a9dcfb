import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { readZip as readPytorchZip } from "../../../src/checkpoint/zip.ts";
import { readZip } from "../../../src/web/store/read_zip.ts";
import { writeZip } from "../../../src/web/store/write_zip.ts";

const written = (entries: Map<string, Uint8Array<ArrayBuffer>>) =>
  new Uint8Array(concat(writeZip(entries)));

Deno.test("a zip file has the names, sizes and checksums of its entries, and any reader reads it", () => {
  const zip = written(new Map([["ä.txt", new TextEncoder().encode("123456789")]]));
  const view = new DataView(zip.buffer);
  // CRC-32's check value, and the sizes
  assertEquals([14, 18, 22].map((at) => view.getUint32(at, true)), [0xcbf43926, 9, 9]);
  for (const read of [readZip, readPytorchZip]) {
    assertEquals(new TextDecoder().decode(read(zip).get("ä.txt")), "123456789");
  }
});

Deno.test("a zip file takes 65,534 entries, and not one more", () => {
  const entries = (n: number) =>
    new Map(Array.from({ length: n }, (_, i) => [String(i), new Uint8Array()] as const));
  assertEquals(readZip(written(entries(65_534))).size, 65_534);
  assertThrows(() => writeZip(entries(65_535)), RangeError, "65535 entries");
});

Deno.test("a zip file with a comment is read, and a damaged one is refused wherever it is damaged", () => {
  const zip = written(new Map([["a", Uint8Array.of(1, 2, 3)]]));
  const commented = new Uint8Array(concat([zip, Uint8Array.of(7, 7)]));
  commented[zip.length - 2] = 2;
  assertEquals(readZip(commented).get("a"), Uint8Array.of(1, 2, 3));
  const directory = zip.length - 22 - 46 - 1;
  const damaged = (at: number, value: number) => {
    const bytes = zip.slice();
    bytes[directory + at] = value;
    return bytes;
  };
  for (
    const [bytes, message] of [
      [damaged(0, 0), "ends after 0 of 1"],
      [damaged(28, 200), "ends within entry 0"],
      [damaged(10, 8), '"a" is compressed'],
      [damaged(42, 1), "is not where the directory says"],
      [damaged(45, 200), "is not where the directory says"],
      [damaged(24, 4), "is not where the directory says"],
      [zip.slice(1), "is not where the directory says"],
    ] as const
  ) {
    if (bytes.length === zip.length) assertThrows(() => readZip(bytes), SyntaxError, message);
    else assertThrows(() => readZip(bytes), SyntaxError);
  }
  const larger = damaged(24, 200);
  larger[directory + 20] = 200;
  assertThrows(() => readZip(larger), SyntaxError, "is cut off");
});
