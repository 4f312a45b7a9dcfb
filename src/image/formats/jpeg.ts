import jpegWasm from "../../../wasm/decoders/jpeg.wasm.ts";
import { concat } from "@std/bytes/concat";
import type { RawImage } from "../raw_image.ts";
import type { JpegHeader } from "./jpeg_header.ts";
import { jpegScale, type Size } from "./jpeg_scale.ts";
import { WasmDecoder } from "../wasm/wasm_decoder.ts";

/** For progressive colour or CMYK at full resolution: 2-byte coefficients, planes and pixels. */
const MEMORY_PER_PIXEL = 16;

/** Bytes per pixel, indexed by the decoder's pixel format. */
const CHANNELS = [1, 3, 4] as const; // grey, RGB, CMYK

const decoder = new WasmDecoder("JPEG", jpegWasm, 17);

/**
 * Decodes a JPEG without applying its orientation; see {@linkcode decodeImage}.
 *
 * @param header that of `bytes`.
 * @param minimum the size that will do. Where it is given, the image is scaled down by 2, 4 or 8
 * while it is decoded, as far as it stays as large as that.
 */
export function decodeJpeg(
  bytes: Uint8Array,
  header: JpegHeader,
  minimum?: Size,
): RawImage {
  const file = corrected(bytes, header);
  const memory = bytes.length + header.width * header.height * MEMORY_PER_PIXEL;
  return decoder.decode(memory, (wasm) => {
    const asked = minimum ? scaledSize(header, minimum) : FULL_SIZE;
    const handle = wasm.call("decode", wasm.copyIn(file), file.length, asked.width, asked.height);
    // The decoder returns 0 if it fails to decode and 1 if it fails to scale.
    if (handle === 0 || handle === 1) throw decoder.damaged("its data are damaged");
    const width = wasm.call("decode_width", handle);
    const height = wasm.call("decode_height", handle);
    const channels = CHANNELS[wasm.call("decode_format", handle)];
    const pointer = wasm.call("decode_buffer", handle);
    const length = wasm.call("wlen");
    const isExpected = minimum
      ? width <= header.width && height <= header.height
      : width === header.width && height === header.height;
    if (!isExpected || !channels || length !== width * height * channels) {
      throw decoder.damaged("its data contradict its header");
    }
    return { width, height, data: toRgb(wasm.view(pointer, length), channels) };
  });
}

/** The largest size that JPEG allows: it selects no scaling. */
const FULL_SIZE: Size = { width: 65_535, height: 65_535 };

/**
 * Returns the size to request from the decoder, which selects the smallest scale at which width or
 * height is at least the requested one. Requesting the longer side at the smallest scale at which both
 * sides are at least the minimum selects that scale.
 */
function scaledSize(image: Size, minimum: Size): Size {
  const scale = jpegScale(image, minimum);
  if (scale === 1) return FULL_SIZE;
  return image.width >= image.height
    ? { ...FULL_SIZE, width: Math.ceil(image.width / scale) }
    : { ...FULL_SIZE, height: Math.ceil(image.height / scale) };
}

/** APP14: length, "Adobe", version, 4 bytes of flags, and colour transform 0 (none). */
const ADOBE = Uint8Array.of(
  ...[0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0],
);

/** Adds or removes an Adobe marker so that the decoder interprets the colours as libjpeg does. */
function corrected(bytes: Uint8Array, { correction, adobe }: JpegHeader): Uint8Array {
  if (correction === "add-adobe") return concat([bytes.subarray(0, 2), ADOBE, bytes.subarray(2)]);
  if (correction === "ignore-adobe") {
    return concat([bytes.subarray(0, adobe![0]), bytes.subarray(adobe![1])]);
  }
  return bytes;
}

/** Converts grey, RGB or CMYK pixels to RGB. It always returns a copy. */
function toRgb(pixels: Uint8Array, channels: 1 | 3 | 4): Uint8Array {
  if (channels === 3) return pixels.slice();
  const rgb = new Uint8Array(pixels.length / channels * 3);
  if (channels === 1) {
    for (let i = 0; i < pixels.length; i++) rgb.fill(pixels[i]!, 3 * i, 3 * i + 3);
    return rgb;
  }
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    const black = pixels[from + 3]!;
    rgb[to] = inkToLight(pixels[from]!, black);
    rgb[to + 1] = inkToLight(pixels[from + 1]!, black);
    rgb[to + 2] = inkToLight(pixels[from + 2]!, black);
  }
  return rgb;
}

/** One channel of Pillow's `cmyk2rgb` (libImaging/Convert.c); 255 is full ink. */
function inkToLight(ink: number, black: number): number {
  const light = 255 - black;
  const product = ink * light + 128;
  return light - (((product >> 8) + product) >> 8);
}
