import { assertEquals, assertRejects } from "@std/assert";
import { ImageDecodeError } from "../../../src/image/image_decode_error.ts";
import { decodeBytes } from "../../../src/image/sources/decode_bytes.ts";

const AVIF = new TextEncoder().encode("\0\0\0\x20ftypavif");

/** A browser that decodes every file to pixels of these sizes, and draws them. */
function browser(width: number, height: number) {
  const calls: string[] = [];
  class OffscreenCanvas {
    constructor(readonly width: number, readonly height: number) {
      calls.push(`canvas ${width} × ${height}`);
    }
    getContext() {
      return {
        drawImage: () => calls.push("draw"),
        getImageData: (_x: number, _y: number, width: number, height: number) => ({
          data: new Uint8ClampedArray(4 * width * height).fill(9),
        }),
      };
    }
  }
  const createImageBitmap = (_blob: Blob, options: object) => {
    calls.push(`bitmap ${JSON.stringify(options)}`);
    return Promise.resolve({ width, height, close: () => calls.push("close") });
  };
  return { calls, scope: { document: {}, OffscreenCanvas, createImageBitmap } };
}

Deno.test("a browser decodes the formats that are refused here", async () => {
  const { calls, scope } = browser(2, 1);
  const image = await decodeBytes(AVIF, {}, scope);
  assertEquals(image, { width: 2, height: 1, data: new Uint8Array(6).fill(9) });
  assertEquals(calls, [
    'bitmap {"imageOrientation":"from-image","colorSpaceConversion":"none"}',
    "canvas 2 × 1",
    "draw",
    "close",
  ]);
});

Deno.test("a browser does not decode what is decoded here, nor a damaged file of it", async () => {
  const { calls, scope } = browser(2, 1);
  const ship = await Deno.readFile("test/images/ship.jpg");
  assertEquals((await decodeBytes(ship, {}, scope)).width, 480);
  const damaged = () => decodeBytes(ship.subarray(0, 100), {}, scope);
  await assertRejects(damaged, ImageDecodeError, "JPEG");
  await assertRejects(() => decodeBytes(new Uint8Array(), {}, scope), ImageDecodeError, "empty");
  assertEquals(calls, []);
});

Deno.test("a browser's images are held to the limits", async () => {
  const limits = { maxBytes: AVIF.length, maxPixels: 99, maxSide: 20 };
  for (const [width, height] of [[21, 1], [10, 10]] as const) {
    const { calls, scope } = browser(width, height);
    const decode = () => decodeBytes(AVIF, { limits }, scope);
    await assertRejects(decode, ImageDecodeError, `${width} × ${height} is over the limit of 20`);
    assertEquals(calls.slice(1), ["close"]);
  }
  const { calls, scope } = browser(1, 1);
  const small = { ...limits, maxBytes: AVIF.length - 1 };
  await assertRejects(() => decodeBytes(AVIF, { limits: small }, scope), ImageDecodeError, "bytes");
  assertEquals(calls, []);
});

Deno.test("what a browser cannot decode either is refused by its name", async () => {
  const createImageBitmap = () => Promise.reject(new DOMException("no", "InvalidStateError"));
  for (const scope of [{ document: {}, createImageBitmap }, { document: {} }, { Deno: {} }]) {
    await assertRejects(() => decodeBytes(AVIF, {}, scope), ImageDecodeError, "an AVIF image");
  }
});
