import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeImage } from "../../src/image/decode_image.ts";
import { ImageDecodeError } from "../../src/image/image_decode_error.ts";
import { DEFAULT_IMAGE_LIMITS } from "../../src/image/image_header.ts";
import { maxDifference, readGolden } from "../golden/golden.ts";

const golden = readGolden("decoded.safetensors");
const file = (name: string) => golden.get(`${name}.file`)!.data as Uint8Array;

/** What the JPEG decoders may differ by, in levels: their inverse transforms round differently. */
const JPEG_TOLERANCE = 3;

for (const key of golden.keys()) {
  const name = key.replace(".file", "");
  if (name === key) continue;
  Deno.test(`decodeImage() gives Pillow's pixels of ${name}`, () => {
    const { shape: [height, width], data } = golden.get(`${name}.decoded`)!;
    const image = decodeImage(file(name));
    assertEquals([image.width, image.height], [width, height]);
    const difference = maxDifference(image.data, data as Uint8Array);
    const tolerance = name.startsWith("jpeg") ? JPEG_TOLERANCE : 0;
    assert(difference <= tolerance, `${difference} levels`);
  });
}

Deno.test("decodeImage() refuses what is no image, or of another format, by name", () => {
  const cases: [string, string][] = [
    ["", "empty"],
    ["hello, I am a text", "no image format known here"],
    ["RIFF\x10\0\0\0WEBPVP8 ", "a WebP image"],
    ["\0\0\0\x1cftypavif", "an AVIF image"],
    ["BM\x10\x20\0\0\0\0\0\0", "a BMP image"],
    ["II*\0\x08", "a TIFF image"],
    ["<svg xmlns=", "an SVG image"],
  ];
  for (const [text, what] of cases) {
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    assertThrows(() => decodeImage(bytes), ImageDecodeError, what);
  }
});

for (const name of ["jpeg_420", "jpeg_progressive", "png_rgb", "gif"]) {
  Deno.test(`decodeImage() refuses or decodes every truncation of ${name}`, () => {
    const whole = file(name);
    const { width, height } = decodeImage(whole);
    let refused = 0;
    for (let length = 0; length < whole.length; length += length < 64 ? 1 : 37) {
      try {
        const image = decodeImage(whole.slice(0, length));
        assertEquals([image.width, image.height], [width, height]);
      } catch (error) {
        assert(error instanceof ImageDecodeError, `${length} bytes: ${error}`);
        refused++;
      }
    }
    assert(refused > 0);
    assertEquals(decodeImage(whole).width, width); // nothing is left behind
  });

  Deno.test(`decodeImage() refuses or decodes ${name} with damaged bytes`, () => {
    const whole = file(name);
    for (let at = 0; at < whole.length; at += 11) {
      const damaged = whole.slice();
      damaged[at]! ^= 0x55;
      try {
        decodeImage(damaged);
      } catch (error) {
        assert(error instanceof ImageDecodeError, `byte ${at}: ${error}`);
      }
    }
  });
}

Deno.test("decodeImage() holds the header against the limits", () => {
  const png = file("png_rgb"); // 45 × 31
  const within = { maxBytes: png.length, maxPixels: 45 * 31, maxSide: 45 };
  assertEquals(decodeImage(png, within).width, 45);
  assertThrows(() => decodeImage(png, { ...within, maxBytes: png.length - 1 }), ImageDecodeError);
  assertThrows(() => decodeImage(png, { ...within, maxPixels: 45 * 31 - 1 }), ImageDecodeError);
  assertThrows(() => decodeImage(png, { ...within, maxSide: 44 }), ImageDecodeError, "45 × 31");
});

Deno.test("decodeImage() refuses a header of millions of pixels before it decodes", () => {
  const bomb = file("png_rgb").slice();
  new DataView(bomb.buffer).setUint32(16, 20_000); // width
  new DataView(bomb.buffer).setUint32(20, 20_000); // height
  assertThrows(() => decodeImage(bomb), ImageDecodeError, `${DEFAULT_IMAGE_LIMITS.maxPixels}`);
});
