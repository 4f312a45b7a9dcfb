import { decodedImages } from "./decoded_images.ts";
import type { ImageFile } from "./image_files.ts";
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
  const small: RawImage[] = [];
  for await (const { file, image, error } of eachThumbnail(files.map((file) => ({ file })), jobs)) {
    if (!image) throw new Error(`${file}: ${error}`);
    small.push(image);
  }
  return small;
}

/** A file's thumbnail, or why there is none. */
export interface Thumbnail {
  readonly file: string;
  readonly image?: RawImage;
  readonly error?: string | undefined;
}

/**
 * Like {@linkcode thumbnails}, but goes on after a file that cannot be read.
 *
 * @yields a thumbnail or an error for each file, in their order.
 */
export async function* eachThumbnail(
  files: readonly ImageFile[],
  jobs: number,
): AsyncGenerator<Thumbnail> {
  for await (const decoded of decodedImages(files, new ReadableStream(), { workers: jobs })) {
    const { file, image, error } = decoded;
    if (image) {
      const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
      const size = (side: number) => Math.max(1, Math.round(scale * side));
      yield { file, image: resize(image, size(image.width), size(image.height), "bilinear") };
    } else yield { file, error };
  }
}
