import type { DecodeOptions } from "../image/decode_options.ts";
import type { Image } from "../image/image.ts";
import { ImageDecoder } from "../image/image_decoder.ts";
import { DEFAULT_IMAGE_LIMITS, readImageHeader } from "../image/image_header.ts";
import { errorMessage } from "./command.ts";
import { type ImageFile, readImageFile } from "./image_files.ts";

/** The image of a file, or why there is none. */
export type DecodedImage =
  | { readonly file: string; readonly image: Image; readonly error?: never }
  | { readonly file: string; readonly error: string; readonly image?: never };

/** How {@linkcode decodedImages} works. */
export interface ReadAheadOptions {
  readonly decoding?: DecodeOptions;
  /** How many images to decode at a time, each in a worker of its own; default 1. */
  readonly workers?: number;
  /**
   * How many bytes of files and of their pixels may wait to be taken; one image more may be under way.
   * Default is 64 MiB.
   */
  readonly maxBytesAhead?: number;
}

/** Of small images no more than this many wait: more would not be taken any sooner. */
const MAX_IMAGES_AHEAD = 64;
const MAX_BYTES_AHEAD = 64 * 2 ** 20;

/** A file that is being decoded. */
interface Ahead {
  readonly result: Promise<DecodedImage>;
  /** Of the file and its pixels. */
  readonly bytes: number;
}

/**
 * Reads and decodes images, and goes on with the next ones while those before are made use of. It reads
 * ahead whenever one is taken; what waits is bounded in bytes. A single image is decoded in the caller's
 * thread, before a worker would have started. Whoever takes no more must end the iteration, as
 * `for await` does, so that the workers end.
 *
 * @param files what {@linkcode findImageFiles} gives.
 * @param stdin what `-` stands for. It is read when it is its turn, not ahead: it may take its time.
 * @yields an image or an error for each file, in the order of the files.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodedImages } from "./decoded_images.ts";
 *
 * const files = [{ file: "test/images/ship.jpg" }, { file: "nowhere.jpg" }];
 * const [ship, nowhere] = await Array.fromAsync(decodedImages(files, new ReadableStream()));
 * assertEquals(ship?.image?.width, 480);
 * assertEquals(nowhere, { file: "nowhere.jpg", error: "no such file" });
 * ```
 */
export async function* decodedImages(
  files: readonly ImageFile[],
  stdin: ReadableStream<Uint8Array>,
  { decoding = {}, workers = 1, maxBytesAhead = MAX_BYTES_AHEAD }: ReadAheadOptions = {},
): AsyncGenerator<DecodedImage> {
  using decoder = new ImageDecoder({ workers: files.length > 1 ? workers : 0 });
  const ahead: Ahead[] = [];
  let bytesAhead = 0;
  let next = 0;
  const isRoom = () =>
    ahead.length === 0 ||
    ahead.length < MAX_IMAGES_AHEAD && bytesAhead < maxBytesAhead && files[next]!.file !== "-";
  while (next < files.length || ahead.length > 0) {
    while (next < files.length && isRoom()) {
      const begun = await begin(files[next++]!, stdin, decoder, decoding);
      ahead.push(begun);
      bytesAhead += begun.bytes;
    }
    const { result, bytes } = ahead.shift()!;
    bytesAhead -= bytes;
    yield await result;
  }
}

/** Reads a file, and begins to decode it. */
async function begin(
  entry: ImageFile,
  stdin: ReadableStream<Uint8Array>,
  decoder: ImageDecoder,
  decoding: DecodeOptions,
): Promise<Ahead> {
  const { file } = entry;
  const { limits = DEFAULT_IMAGE_LIMITS } = decoding;
  try {
    const bytes = await readImageFile(entry, stdin, limits.maxBytes);
    const { width, height } = readImageHeader(bytes, limits);
    // What fails while it waits fails when it is taken.
    const result = decoder.decode(bytes, decoding)
      .then((image) => ({ file, image }), (error) => failed(file, error));
    return { result, bytes: bytes.length + 3 * width * height };
  } catch (error) {
    return { result: Promise.resolve(failed(file, error)), bytes: 0 };
  }
}

function failed(file: string, error: unknown): DecodedImage {
  return { file, error: errorMessage(error) };
}
