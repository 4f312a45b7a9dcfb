import type { DecodeOptions } from "../image/decode_options.ts";
import type { RawImage } from "../image/raw_image.ts";
import { resize } from "../image/transform/resize.ts";
import { sha256 as digestOf } from "../tensor/sha256.ts";
import { decodedImages } from "./decoded_images.ts";
import type { PhotoFile } from "./image_files.ts";
import type { LeftOut } from "./labelled_features.ts";

/** Images that are read again and again. */
export interface TrainingImages<Label = string> {
  readonly files: readonly string[];
  readonly labels: readonly Label[];
  /** The SHA-256 of the files' own, in their order: other files or pixels have another one. */
  readonly digest: string;
  /**
   * An image by its number: from memory, or read again if not all fit there.
   *
   * @throws {Error} if it cannot be read any more; the message names it.
   */
  image(index: number): Promise<RawImage>;
}

/** Options of {@linkcode trainingImages}. */
export interface TrainingImageOptions<Label = string> {
  readonly decoding: DecodeOptions;
  /** Images to decode at a time. */
  readonly jobs: number;
  /** The shorter side to which larger images are shrunk, in pixels; default as they are. */
  readonly shortestSide?: number;
  /** The most bytes of pixels that are kept; default 1 GiB. */
  readonly maxBytes?: number;
  /** The images so far by their SHA-256; those found are added. */
  readonly seen: Map<string, { readonly file: string; readonly label: Label }>;
  readonly onLeftOut: (image: LeftOut<Label>) => void;
  /** Called after each image, left out or not. */
  readonly onImage: () => void;
}

const MAX_BYTES = 2 ** 30;

/**
 * Reads images for training: decodes each once and keeps it, shrunk, as far as the memory goes. Those that
 * cannot be read and those seen before are left out. The images may lack labels.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { trainingImages } from "./training_images.ts";
 *
 * const ship = { file: "test/images/ship.jpg" };
 * const images = await trainingImages([ship, { file: "test/images/dog.jpg", label: "dog" }, ship], {
 *   decoding: {},
 *   jobs: 1,
 *   shortestSide: 64,
 *   seen: new Map(),
 *   onLeftOut: ({ file }) => assertEquals(file, ship.file),
 *   onImage: () => {},
 * });
 * assertEquals(images.labels, [undefined, "dog"]);
 * assertEquals((await images.image(0)).height, 64);
 * ```
 */
export async function trainingImages<Entry extends PhotoFile>(
  images: readonly Entry[],
  options: TrainingImageOptions<Entry["label"]>,
): Promise<TrainingImages<Entry["label"]>> {
  const { decoding, jobs, shortestSide, maxBytes = MAX_BYTES, seen, onLeftOut, onImage } = options;
  const kept: { entry: Entry; label: Entry["label"]; image: RawImage | undefined }[] = [];
  let contents = "";
  const digests = new Set<string>();
  const failed = new Map<string, string>();
  let bytes = 0;
  let next = 0;
  const decoded = decodedImages(images, new ReadableStream(), {
    decoding,
    workers: jobs,
    isKnown(sha256) {
      if (seen.has(sha256) || digests.has(sha256)) return true;
      digests.add(sha256);
      return false;
    },
  });
  for await (const { file, sha256 = "", image, error } of decoded) {
    const entry = images[next++]!;
    const label = entry.label as Entry["label"];
    const twin = seen.get(sha256);
    const reason = error ?? failed.get(sha256);
    if (reason !== undefined) {
      if (sha256 !== "") failed.set(sha256, reason);
      onLeftOut({ file, error: reason });
    } else if (image) {
      const small = shrunk(image, shortestSide);
      const fits = bytes + small.data.length <= maxBytes;
      if (fits) bytes += small.data.length;
      kept.push({ entry, label, image: fits ? small : undefined });
      seen.set(sha256, { file, label });
      contents += sha256;
    } else {
      onLeftOut({ file, label, twin: twin!.file, twinLabel: twin!.label });
    }
    onImage();
  }
  return {
    files: kept.map(({ entry }) => entry.file),
    labels: kept.map(({ label }) => label),
    digest: await digestOf(new TextEncoder().encode(contents)),
    async image(index) {
      const { entry, image } = kept[index]!;
      if (image) return image;
      const [again] = await Array.fromAsync(
        decodedImages([entry], new ReadableStream(), { decoding }),
      );
      if (!again?.image) throw new Error(`${entry.file}: ${again?.error}`);
      return shrunk(again.image, shortestSide);
    },
  };
}

/** The image with the shorter side of at most that many pixels. */
function shrunk(image: RawImage, shortestSide = Infinity): RawImage {
  const scale = shortestSide / Math.min(image.width, image.height);
  if (scale >= 1) return image;
  const size = (side: number) => Math.max(1, Math.round(scale * side));
  return resize(image, size(image.width), size(image.height), "bilinear");
}
