import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { decodeImage } from "../../src/image/decode_image.ts";
import type { DecodeOptions } from "../../src/image/decode_options.ts";
import { ImageDecodeError } from "../../src/image/image_decode_error.ts";
import { readGolden } from "../golden/golden.ts";
import { uniform } from "../random.ts";
import {
  exifLoop,
  gifBomb,
  jpegBomb,
  jpegOfScans,
  pngChunk,
  pngOf,
  withSegment,
} from "./hostile_files.ts";

const golden = readGolden("decoded.safetensors");
const file = (name: string) => golden.get(`${name}.file`)!.data as Uint8Array;
const WIDE = { maxBytes: 2e7, maxPixels: 1e10, maxSide: 65_535 };

/** Whether the image is decoded; if not, it must have been refused properly. */
async function isDecoded(
  bytes: Uint8Array,
  what: string,
  options: DecodeOptions = {},
): Promise<boolean> {
  try {
    const { width, height, data } = await decodeImage(bytes, options);
    assertEquals(data.length, 3 * width * height, what);
    return true;
  } catch (error) {
    assert(error instanceof ImageDecodeError, `${what}: ${error}`);
    return false;
  }
}

const VALID = [
  "jpeg_420",
  "jpeg_progressive",
  "jpeg_grey",
  "jpeg_cmyk",
  "jpeg_orientation_6",
  "png_rgb",
  "png_palette_transparent",
  "png_orientation_6",
  "gif",
  "gif_animated",
  "webp_lossless_alpha",
  "webp_lossy_alpha",
  "webp_animated",
  "webp_orientation_6",
];

/** Each file as it is decoded by default, and JPEGs in the other modes. */
const CASES: readonly (readonly [name: string, options: DecodeOptions])[] = [
  ...VALID.map((name) => [name, {}] as const),
  ...VALID.filter((name) => name.startsWith("jpeg")).flatMap((name) => [
    [name, { decode: "exact" }] as const,
    [name, { decode: "fast", size: { width: 8, height: 8 } }] as const,
  ]),
];

for (const [name, options] of CASES) {
  const how = options.decode ? `${name}, ${options.decode},` : name;
  Deno.test(`decodeImage() refuses or decodes every truncation of ${how}`, async () => {
    const whole = file(name);
    let refused = 0;
    for (let length = 0; length < whole.length; length += length < 128 ? 1 : 23) {
      if (!await isDecoded(whole.slice(0, length), `${length} bytes`, options)) refused++;
    }
    assert(refused > 0);
    assert(await isDecoded(whole, "the whole", options)); // nothing is left behind
  });

  Deno.test(`decodeImage() refuses or decodes ${how} with random changes`, async () => {
    const whole = file(name);
    const random = uniform(whole.length);
    const below = (n: number) => Math.floor(random() * n);
    for (let round = 0; round < 200; round++) {
      const changed = whole.slice();
      // Half of the changes hit the first bytes, where sizes and offsets are.
      const range = round % 2 === 0 ? Math.min(200, whole.length) : whole.length;
      for (let i = 0; i <= below(8); i++) {
        changed[below(range)] = [0, 255, 127, below(256)][below(4)]!;
      }
      await isDecoded(changed, `round ${round}`, options);
    }
    assert(await isDecoded(whole, "the whole", options));
  });
}

Deno.test("decodeImage() refuses random bytes behind every signature", async () => {
  const random = uniform(3);
  const signatures = ["jpeg_420", "png_rgb", "gif", "webp_lossy"].map((name) => file(name));
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 300) }, () => random() * 256);
    const signature = signatures[round % 5]; // every fifth has none
    if (signature) bytes.set(signature.subarray(0, Math.min(12, bytes.length)));
    await isDecoded(bytes, `round ${round}`);
  }
});

Deno.test("decodeImage() survives bombs even where the limits let them through", async () => {
  for (const progressive of [false, true]) {
    const bomb = jpegBomb(15_000, 15_000, progressive);
    await assertRejects(() => decodeImage(bomb), ImageDecodeError, "over the limit");
    await assertRejects(() => decodeImage(bomb, { limits: WIDE }), ImageDecodeError, "cannot hold");
  }
  const gif = gifBomb(65_535);
  await assertRejects(() => decodeImage(gif), ImageDecodeError, "over the limit");
  await assertRejects(() => decodeImage(gif, { limits: WIDE }), ImageDecodeError, "cannot hold");
  const png = await pngOf({ width: 20_000, height: 20_000, bitDepth: 1 });
  await assertRejects(() => decodeImage(png), ImageDecodeError, "over the limit");
});

Deno.test("decodeImage() refuses more scans than a picture has", async () => {
  const jpeg = jpegOfScans(64, 500);
  await assertRejects(
    () => decodeImage(jpeg),
    ImageDecodeError,
    "it has 501 scans; at most 100 are supported",
  );
});

Deno.test("decodeImage() refuses zero sizes", async () => {
  await assertRejects(() => decodeImage(jpegBomb(0, 9, false)), ImageDecodeError, "0 × 9");
  await assertRejects(() => decodeImage(gifBomb(0)), ImageDecodeError);
  const png = await pngOf({ width: 9, height: 0, bitDepth: 8 });
  await assertRejects(() => decodeImage(png), ImageDecodeError, "9 × 0");
});

Deno.test("decodeImage() refuses wrong checksums and missing or contradicting chunks", async () => {
  const png = await pngOf({ width: 9, height: 9, bitDepth: 8 });
  assert(await isDecoded(png, "as it is"));
  const crc = png.slice();
  crc[29]! ^= 1; // of IHDR
  await assertRejects(() => decodeImage(crc), ImageDecodeError);
  const short = await pngOf({ width: 9, height: 9, bitDepth: 8, rows: 8 });
  await assertRejects(() => decodeImage(short), ImageDecodeError);
  const noData = concat([png.subarray(0, 33), pngChunk("IEND", new Uint8Array())]);
  await assertRejects(() => decodeImage(noData), ImageDecodeError);
  const type = await pngOf({ width: 9, height: 9, bitDepth: 8, colorType: 5 });
  await assertRejects(() => decodeImage(type), ImageDecodeError, "colour type 5");
});

Deno.test("decodeImage() is not led astray by metadata", async () => {
  const jpeg = file("jpeg_420");
  const { data } = await decodeImage(jpeg);
  const huge = new Uint8Array(65_533).fill(0x4d);
  huge.set(new TextEncoder().encode("Exif\0\0MM\0*\0\0\0\x08\xff\xff"));
  for (const exif of [huge, exifLoop(), new TextEncoder().encode("Exif\0\0")]) {
    assertEquals((await decodeImage(withSegment(jpeg, 0xe1, exif))).data, data);
  }
});

Deno.test("decodeImage() names what a JPEG is that it does not decode", async () => {
  const changed = (from: number, to: number[]) => {
    const jpeg = jpegBomb(8, 8, false);
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    jpeg.set(to, frame + from);
    return jpeg;
  };
  const cases: [Uint8Array, string][] = [
    [changed(1, [0xc3]), "lossless"],
    [changed(1, [0xc9]), "arithmetic-coded"],
    [changed(4, [12]), "12 bits per sample"],
    [changed(9, [2]), "2 components"],
    [changed(11, [0x51]), "sampling factor"],
  ];
  for (const [jpeg, what] of cases) {
    await assertRejects(() => decodeImage(jpeg), ImageDecodeError, what);
  }
});
