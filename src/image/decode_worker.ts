// The worker of ImageDecoder: decodes the images that it receives, one at a time.

import { decodeWithHeader, readImageHeader } from "./decode_image.ts";
import type { DecodeOptions } from "./decode_options.ts";
import type { Image } from "./image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import { pressMemory } from "../tensor/memory_pressure.ts";
import { decodeMemory, type ImageHeader } from "./image_header.ts";

/** A message to the worker. */
export interface DecodeRequest {
  readonly bytes: Uint8Array;
  readonly options: DecodeOptions;
  /** That of `bytes`, if it was read before: it is trusted. */
  readonly header: ImageHeader | undefined;
}

/** The worker's reply: an image, or the reason why decoding failed. */
export type DecodeReply = DecodeResult & {
  /** The memory that decoding may have left allocated, in bytes. */
  readonly memory: number;
};

type DecodeResult =
  | { readonly image: Image }
  | { readonly refused: string }
  | { readonly failed: string };

/** The members of a worker's global scope that this module uses. */
interface WorkerScope {
  onmessage: (event: MessageEvent<DecodeRequest>) => void;
  postMessage(reply: DecodeReply, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

/** The base memory of one decoder instance, in bytes. */
const INSTANCE_MEMORY = 4_000_000;
/** After this many bytes of decoder memory, a garbage collection is forced. */
const MAX_GARBAGE = 32_000_000;

let garbage = 0;

scope.onmessage = async ({ data: { bytes, options, header } }) => {
  let memory = 0;
  try {
    header ??= readImageHeader(bytes, options.limits);
    memory = bytes.length + decodeMemory(header);
    const image = await decodeWithHeader(bytes, header, options);
    scope.postMessage({ image, memory }, [image.data.buffer as ArrayBuffer]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const refused = error instanceof ImageDecodeError;
    scope.postMessage({ ...(refused ? { refused: message } : { failed: message }), memory }, []);
  }
  // V8 does not count WebAssembly memories as garbage: without this, a service used 700 MB after
  // 3,000 small images; with it, 280 MB.
  garbage += INSTANCE_MEMORY + memory;
  if (garbage < MAX_GARBAGE) return;
  garbage = 0;
  pressMemory();
};
