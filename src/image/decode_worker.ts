// The other side of ImageDecoder: decodes what it is sent, one image after the other.

import { decodeWithHeader, readImageHeader } from "./decode_image.ts";
import type { DecodeOptions } from "./decode_options.ts";
import type { Image } from "./image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import type { ImageHeader } from "./image_header.ts";

/** What is sent to the worker. */
export interface DecodeRequest {
  readonly bytes: Uint8Array;
  readonly options: DecodeOptions;
  /** That of `bytes`, if it was read before: it is trusted. */
  readonly header: ImageHeader | undefined;
}

/** What it answers: an image, or why there is none. */
export type DecodeReply = DecodeResult & {
  /** What decoding may have left in memory, in bytes. */
  readonly memory: number;
};

type DecodeResult =
  | { readonly image: Image }
  | { readonly refused: string }
  | { readonly failed: string };

/** A worker's global scope, as far as it is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<DecodeRequest>) => void;
  postMessage(reply: DecodeReply, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

/** An instance of a decoder has some memory of its own, in bytes. */
const INSTANCE_MEMORY = 4_000_000;
/** After so many bytes of decoders' memory, V8 is made to free what is of no use any more. */
const MAX_GARBAGE = 32_000_000;
/** What V8 takes for so much new memory that it frees the old; nothing is written to it. */
const NUDGE = 2 ** 28;

let garbage = 0;

scope.onmessage = async ({ data: { bytes, options, header } }) => {
  let memory = 0;
  try {
    header ??= readImageHeader(bytes, options.limits);
    memory = bytes.length + header.width * header.height * header.memoryPerPixel;
    const image = await decodeWithHeader(bytes, header, options);
    scope.postMessage({ image, memory }, [image.data.buffer as ArrayBuffer]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const refused = error instanceof ImageDecodeError;
    scope.postMessage({ ...(refused ? { refused: message } : { failed: message }), memory }, []);
  }
  // V8 knows nothing of the size of WebAssembly's memories: without this, a service took 700 MB
  // after 3,000 small images, and with it 280.
  garbage += INSTANCE_MEMORY + memory;
  if (garbage < MAX_GARBAGE) return;
  garbage = 0;
  new ArrayBuffer(NUDGE);
};
