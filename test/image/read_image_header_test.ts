import { assertEquals, assertThrows } from "@std/assert";
import { ImageDecodeError } from "../../src/image/image_decode_error.ts";
import { readImageHeader } from "../../src/image/read_image_header.ts";
import { readGolden } from "../golden/golden.ts";
import { gifBomb, jpegBomb, pngOf } from "./hostile_files.ts";

const golden = readGolden("decoded.safetensors");

const file = (name: string) => golden.get(`${name}.file`)!.data as Uint8Array;

function headerOf(name: string) {
  const header = readImageHeader(file(name));
  const { format, width, height, bitDepth, components, frames, orientation } = header;
  return { format, size: [width, height], bitDepth, components, frames, orientation };
}

const SIZE = { size: [45, 31], orientation: 1, frames: 1 };

Deno.test("readImageHeader() reads size, depth, components, frames and orientation", () => {
  const jpeg = { ...SIZE, format: "jpeg", bitDepth: 8, components: 3 };
  assertEquals(headerOf("jpeg_420"), jpeg);
  assertEquals(headerOf("jpeg_progressive"), jpeg);
  assertEquals(headerOf("jpeg_grey"), { ...jpeg, components: 1 });
  assertEquals(headerOf("jpeg_cmyk"), { ...jpeg, components: 4 });
  const turned = { ...jpeg, orientation: 6, size: [31, 45].toReversed() };
  assertEquals(headerOf("jpeg_orientation_6"), turned);
  const png = { ...SIZE, format: "png", bitDepth: 8, components: 3 };
  assertEquals(headerOf("png_rgb"), png);
  assertEquals(headerOf("png_rgba"), { ...png, components: 4 });
  assertEquals(headerOf("png_1_bit"), { ...png, bitDepth: 1, components: 1 });
  assertEquals(headerOf("png_orientation_8").orientation, 8);
  const gif = { ...SIZE, format: "gif", bitDepth: 8, components: 1 }; // written with 256 colours
  assertEquals(headerOf("gif"), gif);
  assertEquals(headerOf("gif_animated"), { ...gif, bitDepth: 4, frames: 2 });
  assertEquals(headerOf("gif_offset"), { ...gif, size: [49, 37] });
  const webp = { ...SIZE, format: "webp", bitDepth: 8, components: 3 };
  assertEquals(headerOf("webp_lossy"), webp);
  assertEquals(headerOf("webp_lossless"), webp);
  assertEquals(headerOf("webp_lossy_alpha"), { ...webp, components: 4 });
  assertEquals(headerOf("webp_animated").frames, 2);
  assertEquals(headerOf("webp_orientation_5").orientation, 5);
});

Deno.test("readImageHeader() refuses sizes that the file's data cannot hold", async () => {
  const wide = { maxBytes: 1e6, maxPixels: 1e9, maxSide: 65_535 };
  for (const progressive of [false, true]) {
    const bomb = jpegBomb(15_000, 15_000, progressive);
    assertEquals(bomb.length < 250, true);
    assertThrows(() => readImageHeader(bomb), ImageDecodeError, "over the limit");
    assertThrows(() => readImageHeader(bomb, wide), ImageDecodeError, "cannot hold 15000 × 15000");
  }
  assertThrows(() => readImageHeader(gifBomb(65_535)), ImageDecodeError, "over the limit");
  assertThrows(() => readImageHeader(gifBomb(6000)), ImageDecodeError, "cannot hold 6000 × 6000");
  const png = await pngOf({ width: 6000, height: 6000, bitDepth: 8, rows: 10 });
  assertThrows(() => readImageHeader(png), ImageDecodeError, "cannot hold 6000 × 6000");
});

Deno.test("readImageHeader() lets through the emptiest pictures that there can be", async () => {
  // One colour all over, at deflate's best ratio.
  const blank = await pngOf({ width: 6000, height: 6000, bitDepth: 1 });
  assertEquals(blank.length < 6000, true);
  assertEquals(readImageHeader(blank).width, 6000);
});

Deno.test("readImageHeader() counts the memory of a JPEG as it is scaled down", () => {
  const memoryOf = (name: string, side?: number) =>
    readImageHeader(file(name), undefined, side ? { width: side, height: side } : undefined)
      .memoryPerPixel;
  // 45 × 31 pixels: planes and pixels, at a half for 15 rows, at a quarter for 7, at an eighth for 3.
  assertEquals([undefined, 16, 15, 7, 3].map((side) => memoryOf("jpeg_444", side)), [
    ...[10, 2.5, 2.5, 0.625, 0.15625],
  ]);
  // All coefficients of a progressive one stay: 3 or 1.5 a pixel, of two bytes.
  assertEquals(memoryOf("jpeg_progressive_444"), 16);
  assertEquals(memoryOf("jpeg_progressive_444", 3), 6.15625);
  assertEquals(memoryOf("jpeg_progressive"), 13);
  assertEquals(memoryOf("jpeg_progressive", 3), 3.15625);
  // Upright it has 31 × 45 pixels.
  const upright = (width: number, height: number) =>
    readImageHeader(file("jpeg_orientation_6"), undefined, { width, height }).memoryPerPixel;
  assertEquals([upright(16, 23), upright(23, 16)], [2.5, 10]);
  // Other formats are not scaled.
  assertEquals(memoryOf("png_rgb", 3), memoryOf("png_rgb"));
});
