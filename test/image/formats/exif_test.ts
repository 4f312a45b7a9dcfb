import { assertEquals } from "@std/assert";
import { readOrientation } from "../../../src/image/formats/exif.ts";

/** A TIFF structure with one directory of one entry. */
function tiff(little: boolean, { tag = 0x0112, type = 3, value = 6, directory = 8 } = {}) {
  const view = new DataView(new ArrayBuffer(26));
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, directory, little);
  view.setUint16(8, 1, little);
  view.setUint16(10, tag, little);
  view.setUint16(12, type, little);
  view.setUint32(14, 1, little);
  view.setUint16(18, value, little);
  return new Uint8Array(view.buffer);
}

Deno.test("readOrientation() reads both byte orders", () => {
  assertEquals(readOrientation(tiff(true)), 6);
  assertEquals(readOrientation(tiff(false)), 6);
});

Deno.test("readOrientation() takes a long integer, as some writers have it", () => {
  assertEquals(readOrientation(tiff(true, { type: 4 })), 6);
});

Deno.test("readOrientation() takes damaged metadata as upright", () => {
  assertEquals(readOrientation(tiff(true, { value: 0 })), 1);
  assertEquals(readOrientation(tiff(true, { value: 9 })), 1);
  assertEquals(readOrientation(tiff(true, { type: 2 })), 1);
  assertEquals(readOrientation(tiff(true, { tag: 0x0100 })), 1);
  assertEquals(readOrientation(tiff(true, { directory: 25 })), 1);
  assertEquals(readOrientation(tiff(true, { directory: 0xffffffff })), 1);
  for (let length = 0; length < 20; length++) {
    assertEquals(readOrientation(tiff(true).slice(0, length)), 1, `${length} bytes`);
  }
});
