import { dropAlpha } from "../formats/rgba.ts";
import type { PixelSource } from "../image_source.ts";
import type { RawImage } from "../raw_image.ts";

/**
 * Makes RGB of pixels with 1, 3 or 4 channels. RGB bytes are not copied.
 *
 * @throws {RangeError} if the data do not fit the size.
 * @throws {TypeError} if the data are not bytes.
 */
export function pixelsToRgb(source: PixelSource): RawImage {
  const { width, height, data } = source;
  for (const [name, side] of [["width", width], ["height", height]] as const) {
    if (!Number.isSafeInteger(side) || side < 1) {
      throw new RangeError(`Cannot read the pixels: ${name} is ${side}, not a positive integer`);
    }
  }
  if (data.BYTES_PER_ELEMENT !== 1) {
    throw new TypeError(`Cannot read the pixels: data is ${data.constructor.name}, not bytes`);
  }
  const { channels = data.length / (width * height) } = source;
  if (data.length !== width * height * channels || ![1, 3, 4].includes(channels)) {
    throw new RangeError(
      `Cannot read the pixels: data has ${data.length} bytes for ${width} × ${height} pixels` +
        (source.channels === undefined ? "" : ` of ${channels} channels`) +
        "; there are 1, 3 or 4 bytes a pixel",
    );
  }
  if (channels === 4) return { width, height, data: dropAlpha(data) };
  if (channels === 1) return { width, height, data: repeatGrey(data) };
  return data instanceof Uint8Array && source.channels === undefined
    ? source as RawImage
    : { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

function repeatGrey(grey: Uint8Array | Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i]!, 3 * i, 3 * i + 3);
  return rgb;
}
