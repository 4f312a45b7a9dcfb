import { decodedImages } from "./decoded_images.ts";
import type { RawImage } from "../image/raw_image.ts";
import { resize } from "../image/transform/resize.ts";

/** The longer side of a thumbnail, in pixels. */
const SIDE = 128;

/**
 * Makes thumbnails of image files. They keep the proportions; small images are not enlarged.
 *
 * @param jobs files to decode at a time.
 * @throws {Error} if a file can no longer be read; the message names it.
 */
export async function thumbnails(files: readonly string[], jobs: number): Promise<RawImage[]> {
  const entries = files.map((file) => ({ file }));
  const small: RawImage[] = [];
  for await (const decoded of decodedImages(entries, new ReadableStream(), { workers: jobs })) {
    const { file, image, error } = decoded;
    if (!image) throw new Error(`${file}: ${error}`);
    const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
    const size = (side: number) => Math.max(1, Math.round(scale * side));
    small.push(resize(image, size(image.width), size(image.height), "bilinear"));
  }
  return small;
}
