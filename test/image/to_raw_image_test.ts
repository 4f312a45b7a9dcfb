import { Buffer } from "node:buffer";
import { runInNewContext } from "node:vm";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { decodeImage } from "../../src/image/decode_image.ts";
import { ImageDecodeError } from "../../src/image/image_decode_error.ts";
import type { ImageSource } from "../../src/image/image_source.ts";
import { toRawImage } from "../../src/image/to_raw_image.ts";
import { readGolden } from "../golden/golden.ts";

const SHIP = await Deno.readFile("test/images/ship.jpg");
const ship = await decodeImage(SHIP);
const base64 = SHIP.toBase64();

/** A part of a larger buffer, as Node.js makes of small files. */
function pooled(): Buffer {
  const pool = Buffer.alloc(SHIP.length + 100, 0xee);
  pool.set(SHIP, 50);
  return pool.subarray(50, 50 + SHIP.length);
}

const ofOtherRealm = runInNewContext("Uint8Array.from(bytes)", { bytes: SHIP });
const shared = new Uint8Array(new SharedArrayBuffer(SHIP.length));
shared.set(SHIP);

for (
  const [what, source] of [
    ["a Uint8Array", SHIP],
    ["an ArrayBuffer", SHIP.buffer],
    ["a Buffer within a pool", pooled()],
    ["a Uint8Array of another realm", ofOtherRealm],
    ["an ArrayBuffer of another realm", ofOtherRealm.buffer],
    ["shared memory", shared],
    ["a Blob", new Blob([SHIP])],
    ["a File", new File([SHIP], "ship.jpg", { type: "image/gif" })],
    ["a Response", new Response(SHIP)],
    ["a data URL", `data:image/jpeg;base64,${base64}`],
    ["a data URL, percent-encoded", `data:;base64,${encodeURIComponent(base64)}`],
    ["a data URL as URL", new URL(`data:image/jpeg;base64,${base64}`)],
    ["an object URL", URL.createObjectURL(new Blob([SHIP]))],
    ["a RawImage", ship],
  ] as [string, ImageSource][]
) {
  Deno.test(`toRawImage() reads ${what}`, async () => {
    assertEquals(await toRawImage(source), ship);
  });
}

Deno.test("toRawImage() neither changes nor detaches bytes, of any format and mode", async () => {
  const golden = readGolden("decoded.safetensors");
  for (const name of ["jpeg_420", "png_rgb", "webp_lossless", "gif", "gif_no_palette"]) {
    const file = golden.get(`${name}.file`)!.data as Uint8Array;
    const source = Buffer.concat([Buffer.alloc(8, 7), file, Buffer.alloc(8, 7)]);
    const before = Uint8Array.from(source);
    await toRawImage(source.subarray(8, -8));
    await toRawImage(source.subarray(8, -8), { decode: "exact" });
    assertEquals(Uint8Array.from(source), before);
  }
});

const pixels = Uint8Array.of(1, 2, 3, 200, 4, 5, 6, 0); // two of RGBA

Deno.test("toRawImage() takes a RawImage as it is", async () => {
  assertStrictEquals(await toRawImage(ship), ship);
});

Deno.test("toRawImage() repeats grey, drops alpha and takes RGB of clamped bytes", async () => {
  const rgb = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const size = { width: 2, height: 1 };
  const cases: [ImageSource, Uint8Array][] = [
    [{ ...size, data: Uint8ClampedArray.from(rgb), channels: 3 }, rgb],
    [{ ...size, data: rgb, channels: 3 }, rgb],
    [{ ...size, data: Uint8ClampedArray.from(pixels), channels: 4 }, rgb],
    [{ ...size, data: pixels }, rgb],
    [new ImageData(Uint8ClampedArray.from(pixels), 2), rgb],
    [{ ...size, data: Uint8Array.of(8, 9), channels: 1 }, Uint8Array.of(8, 8, 8, 9, 9, 9)],
  ];
  for (const [source, data] of cases) assertEquals(await toRawImage(source), { ...size, data });
});

for (
  const [what, source, error, words] of [
    ["too few bytes", { width: 2, height: 1, data: Uint8Array.of(1, 2, 3) }, RangeError, "3 bytes"],
    [
      "a wrong number of channels",
      { width: 2, height: 1, data: pixels, channels: 3 },
      RangeError,
      "8 bytes for 2 × 1 pixels of 3 channels",
    ],
    [
      "two channels",
      { width: 4, height: 1, data: pixels, channels: 2 },
      RangeError,
      "there are 1, 3 or 4",
    ],
    ["no width", { width: 0, height: 1, data: pixels }, RangeError, "width is 0"],
    [
      "numbers that are no bytes",
      { width: 1, height: 1, data: Float32Array.of(1, 2, 3) },
      TypeError,
      "data is Float32Array, not bytes",
    ],
  ] as const
) {
  Deno.test(`toRawImage() refuses pixels with ${what}`, async () => {
    await assertRejects(() => toRawImage(source as ImageSource), error, words);
  });
}

for (
  const [what, source, words] of [
    ["null", null, "it is Null; pass bytes"],
    ["nothing", undefined, "it is Undefined"],
    ["a number", 5, "it is Number"],
    ["another object", { file: "a.jpg" }, "it is Object"],
    ["a path", "photos/ship.jpg", '"photos/ship.jpg" is no URL; pass a file\'s bytes'],
    ["a file's URL", "file:///etc/passwd", "starts with file:"],
    ["a bitmap without a canvas", await createImageBitmap(new ImageData(1, 1)), "no canvas"],
  ] as const
) {
  Deno.test(`toRawImage() refuses ${what}`, async () => {
    await assertRejects(() => toRawImage(source as ImageSource), TypeError, words);
  });
}

Deno.test("toRawImage() keeps to the limits, however the bytes come", async () => {
  const limits = { maxBytes: SHIP.length - 1, maxPixels: 1e6, maxSide: 1000 };
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(1000));
    },
  });
  for (
    const source of [
      SHIP,
      new Blob([SHIP]),
      new Response(SHIP),
      new Response(endless),
      `data:;base64,${base64}`,
      `data:;base64,${"A".repeat(10 * SHIP.length)}`,
    ]
  ) {
    await assertRejects(() => toRawImage(source, { limits }), ImageDecodeError, "bytes");
  }
  await toRawImage(SHIP, { limits: { ...limits, maxBytes: SHIP.length } });
  const sides = { ...limits, maxBytes: SHIP.length, maxSide: 479 };
  await assertRejects(() => toRawImage(SHIP, { limits: sides }), ImageDecodeError, "480 × 360");
});

Deno.test("toRawImage() names what is wrong with bytes, a response or a data URL", async () => {
  const cases: [ImageSource, string][] = [
    [new Uint8Array(), "it is empty"],
    [new TextEncoder().encode("hello"), "no image format known here"],
    [new Response("no such image", { status: 404 }), "the response has the status 404"],
    ["data:image/svg+xml,<svg/>", "a data URL, but not in base64"],
    ["data:;base64,%%%", "not valid base64"],
    ["data:;base64,!!!!", "not valid base64"],
  ];
  for (const [source, words] of cases) {
    await assertRejects(() => toRawImage(source), ImageDecodeError, words);
  }
});

Deno.test("toRawImage() passes decode and size on", async () => {
  const exact = await decodeImage(SHIP, { decode: "exact" });
  assertEquals(await toRawImage(new Blob([SHIP]), { decode: "exact" }), exact);
  const size = { width: 8, height: 8 };
  assertEquals((await toRawImage(SHIP, { decode: "fast", size })).width, 60); // an eighth
  await assertRejects(() => toRawImage(ship, { decode: "fast" }), TypeError, "require each other");
});
