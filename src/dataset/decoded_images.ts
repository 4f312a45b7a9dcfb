import type { DecodeOptions } from "../image/decode_options.ts";
import type { RawImage } from "../image/raw_image.ts";
import { ImageDecoder } from "../image/image_decoder.ts";
import { DEFAULT_IMAGE_LIMITS } from "../image/image_header.ts";
import { sha256 } from "../tensor/sha256.ts";
import type { ExplainMissing, ImageFile } from "./image_files.ts";
import { readImageFile } from "./read_image_file.ts";
import { isS3Url } from "./s3/s3_url.ts";

/** A file's image or error; neither if the file `isKnown`. */
export type DecodedImage =
  & {
    readonly file: string;
    /** The SHA-256 of the file's bytes, in hexadecimal; given with `isKnown` for each readable file. */
    readonly sha256?: string;
  }
  & (
    | { readonly image: RawImage; readonly error?: never }
    | { readonly error: string; readonly image?: never }
    | { readonly image?: never; readonly error?: never }
  );

/** Options of {@linkcode decodedImages}. */
export interface ReadAheadOptions {
  readonly decoding?: DecodeOptions;
  /** Images to decode at a time, each in its own worker; default 1. */
  readonly workers?: number;
  /** Decodes the images, in place of a decoder with `workers` that ends with them; the caller disposes of it. */
  readonly decoder?: ImageDecoder | undefined;
  /**
   * The most bytes of files and pixels that wait; one further image may be in progress, and eight objects of S3 are
   * read at a time. Default 64 MiB.
   */
  readonly maxBytesAhead?: number;
  /**
   * Whether a file need not be decoded, by the SHA-256 of its bytes. It is called once for each file that
   * can be read, in their order and ahead of what is yielded. Without it, no SHA-256 is computed.
   */
  readonly isKnown?: ((sha256: string) => boolean | Promise<boolean>) | undefined;
  readonly explainMissing?: ExplainMissing | undefined;
}

/** The most images that wait: reading further ahead would not decode them sooner. */
const MAX_IMAGES_AHEAD = 64;
const MAX_BYTES_AHEAD = 64 * 2 ** 20;
/** Objects of S3 that are read at a time: an answer may take 50 ms, as long as four images to decode. */
const MAX_REQUESTS = 8;

/** A file that is being decoded. */
interface Ahead {
  readonly result: Promise<DecodedImage>;
  /** The bytes of the file and its pixels. */
  readonly bytes: number;
}

/**
 * Reads and decodes images ahead of the caller, up to a limit in bytes. A header is read once. A single
 * image is decoded in the caller's thread, which takes less time than starting a worker. A caller that stops
 * early must end the iteration, as `for await` does, so that the workers end.
 *
 * @param files from `findImageFiles`.
 * @param stdin standard input, for `-`. It is not read ahead, because it may be slow.
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
  options: ReadAheadOptions = {},
): AsyncGenerator<DecodedImage> {
  const { workers = 1, maxBytesAhead = MAX_BYTES_AHEAD } = options;
  using own = options.decoder
    ? undefined
    : new ImageDecoder({ workers: files.length > 1 ? workers : 0 });
  const decoder = options.decoder ?? own!;
  const ahead: Ahead[] = [];
  let bytesAhead = 0;
  let next = 0;
  const isRoom = () =>
    ahead.length === 0 ||
    ahead.length < MAX_IMAGES_AHEAD && bytesAhead < maxBytesAhead && files[next]!.file !== "-";
  const reads = new RequestsAhead(files, stdin, options);
  try {
    while (next < files.length || ahead.length > 0) {
      while (next < files.length && isRoom()) {
        const begun = await begin(files[next]!, reads.take(next), decoder, options);
        next++;
        ahead.push(begun);
        bytesAhead += begun.bytes;
      }
      const { result, bytes } = ahead.shift()!;
      bytesAhead -= bytes;
      yield await result;
    }
  } finally {
    await reads.end();
  }
}

/** Reads files one by one, but several objects of S3 at a time. */
class RequestsAhead {
  readonly #files: readonly ImageFile[];
  readonly #read: (file: ImageFile) => Promise<Uint8Array>;
  readonly #abort = new AbortController();
  readonly #underWay = new Map<number, Promise<Uint8Array>>();

  constructor(
    files: readonly ImageFile[],
    stdin: ReadableStream<Uint8Array>,
    { decoding, explainMissing }: ReadAheadOptions,
  ) {
    const { maxBytes } = decoding?.limits ?? DEFAULT_IMAGE_LIMITS;
    this.#files = files;
    this.#read = (file) => readImageFile(file, stdin, maxBytes, explainMissing, this.#abort.signal);
  }

  /** The bytes of the file with a number; they are taken in order. */
  take(number: number): Promise<Uint8Array> {
    const end = Math.min(number + MAX_REQUESTS, this.#files.length);
    for (let i = number; i < end && isS3Url(this.#files[i]!.file); i++) {
      if (this.#underWay.has(i)) continue;
      const read = this.#read(this.#files[i]!);
      read.catch(() => {}); // it rejects when it is taken
      this.#underWay.set(i, read);
    }
    const read = this.#underWay.get(number);
    this.#underWay.delete(number);
    return read ?? this.#read(this.#files[number]!);
  }

  /** Ends what nobody took. */
  async end(): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled(this.#underWay.values());
  }
}

/** Waits for the bytes of a file and starts to decode it unless it is known. */
async function begin(
  entry: ImageFile,
  read: Promise<Uint8Array>,
  decoder: ImageDecoder,
  { decoding = {}, isKnown }: ReadAheadOptions,
): Promise<Ahead> {
  let from: { file: string; sha256?: string } = { file: entry.file };
  const failed = (error: unknown): DecodedImage => ({
    ...from,
    error: error instanceof Error ? error.message : String(error),
  });
  try {
    const bytes = await read;
    if (isKnown) {
      const digest = await sha256(bytes);
      from = { ...from, sha256: digest };
      if (await isKnown(digest)) return { result: Promise.resolve(from), bytes: 0 };
    }
    const header = await decoder.readHeader(bytes, decoding.limits);
    // An error is reported when the image is taken.
    const result = decoder.decode(bytes, decoding, header)
      .then((image): DecodedImage => ({ ...from, image }), failed);
    return { result, bytes: bytes.length + 3 * header.width * header.height };
  } catch (error) {
    return { result: Promise.resolve(failed(error)), bytes: 0 };
  }
}
