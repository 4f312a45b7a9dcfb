import { assertEquals, assertRejects } from "@std/assert";
import { ImageDecodeError } from "../../../src/image/image_decode_error.ts";
import { DEFAULT_IMAGE_LIMITS } from "../../../src/image/image_header.ts";
import type { DrawableSource } from "../../../src/image/image_source.ts";
import { drawImage, isDrawable } from "../../../src/image/sources/draw_image.ts";

/** An object that names a class that this host lacks as its own. */
function instanceOf(name: string, members: object): DrawableSource {
  return { ...members, [Symbol.toStringTag]: name } as unknown as DrawableSource;
}

/** A page without OffscreenCanvas. */
const document = {
  createElement: () => ({
    width: 0,
    height: 0,
    getContext: () => ({
      drawImage: () => {},
      getImageData: (_x: number, _y: number, width: number, height: number) => ({
        data: new Uint8ClampedArray(4 * width * height),
      }),
    }),
  }),
};

for (
  const [name, members] of [
    ["ImageBitmap", { width: 3, height: 2 }],
    ["OffscreenCanvas", { width: 3, height: 2 }],
    ["HTMLCanvasElement", { width: 3, height: 2 }],
    ["HTMLImageElement", { width: 30, height: 20, naturalWidth: 3, naturalHeight: 2 }],
    ["HTMLVideoElement", { width: 30, height: 20, videoWidth: 3, videoHeight: 2 }],
    ["VideoFrame", { codedWidth: 16, codedHeight: 16, displayWidth: 3, displayHeight: 2 }],
  ] as const
) {
  Deno.test(`drawImage() reads the pixels of a ${name} in its own size`, async () => {
    const source = instanceOf(name, members);
    assertEquals(isDrawable(source), true);
    const image = await drawImage(source, DEFAULT_IMAGE_LIMITS, { document });
    assertEquals(image, { width: 3, height: 2, data: new Uint8Array(18) });
  });
}

Deno.test("drawImage() waits until an image element is loaded", async () => {
  const element = {
    naturalWidth: 0,
    naturalHeight: 0,
    decode: () => Promise.resolve(Object.assign(source, { naturalWidth: 1, naturalHeight: 1 })),
  };
  const source = instanceOf("HTMLImageElement", element);
  assertEquals((await drawImage(source, DEFAULT_IMAGE_LIMITS, { document })).width, 1);
});

Deno.test("drawImage() refuses an image element that is not loaded", async () => {
  const decode = () => Promise.reject(new DOMException("no", "EncodingError"));
  const source = instanceOf("HTMLImageElement", { naturalWidth: 0, naturalHeight: 0, decode });
  const draw = () => drawImage(source, DEFAULT_IMAGE_LIMITS, { document });
  await assertRejects(draw, ImageDecodeError, "the page could not load it");
});

Deno.test("drawImage() refuses what is empty or too large before it makes a canvas", async () => {
  for (const [width, words] of [[0, "its size is 0"], [16_385, "over the limit"]] as const) {
    const source = instanceOf("ImageBitmap", { width, height: 1 });
    await assertRejects(() => drawImage(source, DEFAULT_IMAGE_LIMITS, {}), ImageDecodeError, words);
  }
});

Deno.test("drawImage() needs a canvas", async () => {
  const source = instanceOf("ImageBitmap", { width: 1, height: 1 });
  const draw = () => drawImage(source, DEFAULT_IMAGE_LIMITS, {});
  await assertRejects(draw, TypeError, "pass the bytes of its file");
});
