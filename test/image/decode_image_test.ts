import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeImage, readImageHeader } from "../../src/image/decode_image.ts";
import { ImageDecodeError } from "../../src/image/image_decode_error.ts";
import { withSegment } from "./hostile_files.ts";
import { maxDifference, readGolden } from "../golden/golden.ts";

const golden = readGolden("decoded.safetensors");
const file = (name: string) => golden.get(`${name}.file`)!.data as Uint8Array;

/** What the JPEG decoders may differ by, in levels: their inverse transforms round differently. */
const JPEG_TOLERANCE = 3;

for (const key of golden.keys()) {
  const name = key.replace(".file", "");
  if (name === key) continue;
  Deno.test(`decodeImage() gives Pillow's pixels of ${name}`, async () => {
    const { shape: [height, width], data } = golden.get(`${name}.decoded`)!;
    const image = await decodeImage(file(name));
    assertEquals([image.width, image.height], [width, height]);
    const difference = maxDifference(image.data, data as Uint8Array);
    const tolerance = name.startsWith("jpeg") ? JPEG_TOLERANCE : 0;
    assert(difference <= tolerance, `${difference} levels`);
  });

  Deno.test(`decodeImage() gives Pillow's pixels of ${name} to the bit with decode: exact`, async () => {
    const image = await decodeImage(file(name), { decode: "exact" });
    // Four components go to the standard decoder.
    const isInk = readImageHeader(file(name)).components === 4 && name.startsWith("jpeg");
    const expected = isInk
      ? (await decodeImage(file(name))).data
      : golden.get(`${name}.decoded`)!.data;
    assertEquals(image.data, expected);
  });
}

Deno.test("decodeImage() refuses what is no image, or of another format, by name", async () => {
  const cases: [string, string][] = [
    ["", "empty"],
    ["hello, I am a text", "no image format known here; JPEG, PNG, GIF and WebP are decoded"],
    ["RIFF\x10\0\0\0WAVEfmt ", "no image format known here"],
    ["\0\0\0\x1cftypavif", "an AVIF image"],
    ["\0\0\0\x1cftypheic", "a HEIC image"],
    ["BM\x10\x20\0\0\0\0\0\0", "a BMP image"],
    ["II*\0\x08", "a TIFF image"],
    ["<svg xmlns=", "an SVG image"],
    ['<?xml version="1.0"?>\n<svg xmlns=', "an SVG or another XML document"],
  ];
  for (const [text, what] of cases) {
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    await assertRejects(() => decodeImage(bytes), ImageDecodeError, what);
  }
});

Deno.test("decodeImage() holds the header against the limits, to the last one allowed", async () => {
  const png = file("png_rgb"); // 45 × 31
  const limits = { maxBytes: png.length, maxPixels: 45 * 31, maxSide: 45 };
  assertEquals((await decodeImage(png, { limits })).width, 45);
  for (
    const [name, message] of [["maxBytes", "bytes"], ["maxPixels", "45 × 31"], [
      "maxSide",
      "45 × 31",
    ]] as const
  ) {
    const lower = { ...limits, [name]: limits[name] - 1 };
    await assertRejects(() => decodeImage(png, { limits: lower }), ImageDecodeError, message);
  }
});

Deno.test("decodeImage() refuses a JPEG without its end with decode: exact, as Pillow does", async () => {
  const jpeg = file("jpeg_444");
  const exact = { decode: "exact" } as const;
  await assertRejects(() => decodeImage(jpeg.slice(0, -2), exact), ImageDecodeError, "cut off");
  // A thumbnail in a segment has an end of its own.
  const thumbnail = withSegment(jpeg, 0xe2, file("jpeg_odd"));
  assertEquals((await decodeImage(thumbnail, exact)).width, 45);
  const cut = thumbnail.slice(0, -20);
  await assertRejects(() => decodeImage(cut, exact), ImageDecodeError, "cut off");
});

Deno.test("decodeImage() scales a JPEG down, no further than asked, with decode: fast", async () => {
  const photo = Deno.readFileSync("test/images/ship.jpg"); // 480 × 360
  const fast = async (width: number, height: number) => {
    const image = await decodeImage(photo, { decode: "fast", size: { width, height } });
    assertEquals(image.data.length, 3 * image.width * image.height);
    return [image.width, image.height];
  };
  assertEquals(await fast(32, 32), [60, 45]);
  assertEquals(await fast(60, 45), [60, 45]);
  assertEquals(await fast(61, 45), [120, 90]);
  assertEquals(await fast(60, 46), [120, 90]);
  assertEquals(await fast(224, 180), [240, 180]);
  assertEquals(await fast(481, 10), [480, 360]);
});

Deno.test("decodeImage() takes the size of decode: fast as upright", async () => {
  const size = { width: 15, height: 22 }; // half of 31 × 45
  const image = await decodeImage(file("jpeg_orientation_6"), { decode: "fast", size });
  assertEquals([image.width, image.height], [16, 23]);
});

Deno.test("decodeImage() wants decode: fast and a size together", async () => {
  const png = file("png_rgb");
  await assertRejects(() => decodeImage(png, { decode: "fast" }), TypeError, "require each other");
  const size = { width: 1, height: 1 };
  await assertRejects(() => decodeImage(png, { size }), TypeError, "require each other");
});
