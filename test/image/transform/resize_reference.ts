import type { RawImage } from "../../../src/image/raw_image.ts";
import {
  PRECISION_BITS,
  type Resampling,
  resamplingWeights,
} from "../../../src/image/transform/resampling.ts";

const HALF = 1 << (PRECISION_BITS - 1);

/** A slow reference implementation of {@linkcode resize} that returns the same bytes. */
export function resizeReference(
  image: RawImage,
  width: number,
  height: number,
  resampling: Resampling,
): RawImage {
  const narrowed = width === image.width ? image : resizeRows(image, width, resampling);
  return height === image.height ? narrowed : resizeColumns(narrowed, height, resampling);
}

function resizeRows(
  { width, height, data }: RawImage,
  outWidth: number,
  resampling: Resampling,
): RawImage {
  const { start, count, weights, size } = resamplingWeights(width, outWidth, resampling);
  const out = new Uint8ClampedArray(outWidth * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = HALF;
        for (let i = 0; i < count[x]!; i++) {
          const pixel = data[(y * width + start[x]! + i) * 3 + c]!;
          sum += pixel * weights[x * size + i]!;
        }
        out[to++] = sum >> PRECISION_BITS;
      }
    }
  }
  return { width: outWidth, height, data: new Uint8Array(out.buffer) };
}

function resizeColumns(
  { width, height, data }: RawImage,
  outHeight: number,
  resampling: Resampling,
): RawImage {
  const { start, count, weights, size } = resamplingWeights(height, outHeight, resampling);
  const stride = width * 3;
  const out = new Uint8ClampedArray(stride * outHeight);
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < stride; x++) {
      let sum = HALF;
      for (let i = 0; i < count[y]!; i++) {
        sum += data[(start[y]! + i) * stride + x]! * weights[y * size + i]!;
      }
      out[to++] = sum >> PRECISION_BITS;
    }
  }
  return { width, height: outHeight, data: new Uint8Array(out.buffer) };
}
