import webpFactory from "@jsquash/webp/codec/dec/webp_dec.js";
import webpWasm from "../../../wasm/decoders/webp.wasm.ts";
import { concat } from "@std/bytes/concat";
import { fromBase64 } from "../../tensor/base64.ts";
import { placeOnCanvas } from "./canvas.ts";
import type { RawImage } from "../raw_image.ts";
import { EmscriptenDecoder } from "../wasm/emscripten_decoder.ts";
import type { WebpHeader } from "./webp_header.ts";

/** RGBA, and planes or a transform's colours during decoding. */
const MEMORY_PER_PIXEL = 16;

/** A lossless WebP of one pixel. */
const ONE_PIXEL = fromBase64("UklGRh4AAABXRUJQVlA4TBEAAAAvAAAAAAfQ//73v/+BiOh/AAA=");

const decoder = new EmscriptenDecoder("WebP", {
  factory: webpFactory,
  wasm: webpWasm,
  pages: 16,
  settings: [],
  first: ONE_PIXEL,
});
const BLACK = new Uint8Array(3);

/** Decodes a WebP's pixels, of an animation the first frame; see {@linkcode decodeImage}. */
export async function decodeWebp(
  bytes: Uint8Array,
  { width, height, firstFrame }: WebpHeader,
): Promise<RawImage> {
  if (!firstFrame) return await decodeStill(bytes, width, height);
  const chunks = bytes.subarray(...firstFrame.chunks);
  const file = stillOf(chunks, firstFrame.width, firstFrame.height);
  const frame = await decodeStill(file, firstFrame.width, firstFrame.height);
  return placeOnCanvas(frame, firstFrame.left, firstFrame.top, { width, height }, BLACK);
}

function decodeStill(bytes: Uint8Array, width: number, height: number): Promise<RawImage> {
  const memory = bytes.length + width * height * MEMORY_PER_PIXEL;
  return decoder.decode(bytes, { width, height }, memory);
}

/** Wraps a frame of an animation as a still image: a VP8X header with the alpha flag, and its chunks. */
function stillOf(chunks: Uint8Array, width: number, height: number): Uint8Array {
  const head = new Uint8Array(30);
  const view = new DataView(head.buffer);
  head.set(new TextEncoder().encode("RIFF    WEBPVP8X"));
  view.setUint32(4, head.length - 8 + chunks.length, true);
  view.setUint32(16, 10, true);
  head[20] = 0x10; // has alpha
  for (const [at, size] of [[24, width - 1], [27, height - 1]] as const) {
    head.set([size & 255, size >> 8 & 255, size >> 16], at);
  }
  return concat([head, chunks]);
}
