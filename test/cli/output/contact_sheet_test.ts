import { assertEquals, assertThrows } from "@std/assert";
import { contactSheet } from "../../../src/cli/output/contact_sheet.ts";
import type { RawImage } from "../../../src/image/raw_image.ts";

function flat(width: number, height: number, level: number): RawImage {
  return { width, height, data: new Uint8Array(3 * width * height).fill(level) };
}

/** The red levels, row by row. */
function reds({ width, height, data }: RawImage): number[][] {
  return Array.from(
    { length: height },
    (_, y) => Array.from({ length: width }, (_, x) => data[3 * (y * width + x)]!),
  );
}

Deno.test("contactSheet() lays rows of different lengths out on white", () => {
  const sheet = contactSheet([[flat(2, 2, 10), flat(2, 2, 20)], [flat(2, 2, 30)]], {
    cell: 2,
    gap: 1,
  });
  const W = 255;
  assertEquals(reds(sheet), [
    [W, W, W, W, W, W, W],
    [W, 10, 10, W, 20, 20, W],
    [W, 10, 10, W, 20, 20, W],
    [W, W, W, W, W, W, W],
    [W, 30, 30, W, W, W, W],
    [W, 30, 30, W, W, W, W],
    [W, W, W, W, W, W, W],
  ]);
  assertEquals(contactSheet([[], [flat(1, 1, 5)]], { cell: 1, gap: 0 }).height, 2);
});

Deno.test("contactSheet() enlarges by whole factors, without mixing pixels, and centres", () => {
  const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const sheet = contactSheet([[image]], { cell: 5, gap: 0 });
  const W = 255;
  assertEquals(reds(sheet), [
    [W, W, W, W, W],
    [1, 1, 4, 4, W],
    [1, 1, 4, 4, W],
    [W, W, W, W, W],
    [W, W, W, W, W],
  ]);
  assertEquals(sheet.data.slice(3 * 5, 3 * 5 + 3), Uint8Array.of(1, 2, 3));
});

Deno.test("contactSheet() shrinks what is larger than a cell, in proportion", () => {
  const W = 255;
  assertEquals(reds(contactSheet([[flat(8, 4, 9)]], { cell: 4, gap: 0 })), [
    [W, W, W, W],
    [9, 9, 9, 9],
    [9, 9, 9, 9],
    [W, W, W, W],
  ]);
  const strip = reds(contactSheet([[flat(1000, 1, 9)]], { cell: 4, gap: 0 }));
  assertEquals(strip.flat().filter((level) => level === 9).length, 4);
});

Deno.test("contactSheet() refuses sizes out of range, and sheets without an image or too large", () => {
  const rows = [[flat(1, 1, 1)]];
  for (const cell of [0, -1, 1.5, NaN]) {
    assertThrows(() => contactSheet(rows, { cell, gap: 1 }), RangeError, `cell is ${cell}`);
  }
  assertThrows(() => contactSheet(rows, { cell: 1, gap: -1 }), RangeError, "gap is -1");
  for (const none of [[], [[], []]]) {
    assertThrows(() => contactSheet(none, { cell: 1, gap: 1 }), RangeError, "at least one image");
  }
  assertThrows(
    () => contactSheet(rows, { cell: 2, gap: 4096 }),
    RangeError,
    "Cannot lay out a contact sheet of 8194 × 8194 pixels",
  );
  assertEquals(contactSheet(rows, { cell: 2, gap: 4095 }).width, 8192);
});
