import { assert, assertEquals, assertThrows } from "@std/assert";
import { readZip } from "../../src/checkpoint/zip.ts";
import { zipFile } from "./zip_file.ts";

const A = Uint8Array.of(1, 2, 3);
const ENTRIES = [["folder/a", A], ["é", new Uint8Array()]] as const;

for (const options of [{}, { zip64: true }, { comment: "a comment" }]) {
  Deno.test(`readZip() gives the entries as views: ${JSON.stringify(options)}`, () => {
    const file = zipFile(ENTRIES, options);
    const entries = readZip(file);
    assertEquals([...entries], [...ENTRIES]);
    assert(entries.get("folder/a")!.buffer === file.buffer);
    const shifted = new Uint8Array(file.length + 3); // a view itself
    shifted.set(file, 3);
    assertEquals([...readZip(shifted.subarray(3))], [...ENTRIES]);
  });

  Deno.test(`readZip() refuses the file cut off anywhere: ${JSON.stringify(options)}`, () => {
    const file = zipFile(ENTRIES, options);
    for (let length = 0; length < file.length; length++) {
      assertThrows(() => readZip(file.subarray(0, length)), SyntaxError);
      assertThrows(() => readZip(file.subarray(file.length - length)), SyntaxError);
    }
  });
}

Deno.test("readZip() refuses what PyTorch does not write, and names it", () => {
  const cases: [Uint8Array, string][] = [
    [zipFile(ENTRIES, { method: 8 }), '"folder/a" is compressed'],
    [zipFile(ENTRIES, { flags: 1 }), '"folder/a" is encrypted'],
    [zipFile(ENTRIES, { extraSize: 1000 }), '"folder/a" overlaps the directory'],
    [zipFile(ENTRIES, { zip64: true, extraSize: 2 ** 52 }), '"folder/a" overlaps the directory'],
    [zipFile([["a", A], ["a", A]]), 'the entry "a" twice'],
    [new TextEncoder().encode("no zip file, but longer than its end record"), "not a zip file"],
  ];
  for (const [file, message] of cases) {
    assertThrows(() => readZip(file), SyntaxError, message);
  }
});

Deno.test("readZip() refuses a count of entries that could fill the memory", () => {
  const file = zipFile(ENTRIES, { zip64: true });
  const record = file.length - 22 - 20 - 56;
  new DataView(file.buffer).setBigUint64(record + 32, 2n ** 63n, true);
  assertThrows(() => readZip(file), SyntaxError, "9223372036854776000 entries");
  new DataView(file.buffer).setBigUint64(record + 32, 3n, true);
  assertThrows(() => readZip(file), SyntaxError, "after 2 of 3 entries");
});
