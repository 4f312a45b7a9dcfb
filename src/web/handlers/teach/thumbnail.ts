/// <reference lib="dom" />
import { type RawImage, resize } from "../../../mod.ts";

/** The longer side, in pixels; small images are not enlarged. */
const SIDE = 160;
const QUALITY = 0.8;

/** A small JPEG file of an image, which keeps its proportions. */
export async function thumbnail(image: RawImage): Promise<ArrayBuffer> {
  const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
  const side = (length: number) => Math.max(1, Math.round(scale * length));
  const [width, height] = [side(image.width), side(image.height)];
  const { data } = resize(image, width, height, "bilinear");
  const rgba = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    rgba.data.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
    rgba.data[4 * i + 3] = 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")!.putImageData(rgba, 0, 0);
  return await (await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY })).arrayBuffer();
}
