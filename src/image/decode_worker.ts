// The worker of ImageDecoder: decodes the images that it receives, one at a time.

import { workerScope } from "../host/worker_scope.ts";
import { decodeWithHeader, readImageHeader } from "./decode_image.ts";
import type { DecodeOptions } from "./decode_options.ts";
import type { RawImage } from "./raw_image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import { decodeMemory, type ImageHeader } from "./image_header.ts";
import { MAX_KEPT } from "./wasm/warm_memory.ts";

/** A message to the worker. */
export interface DecodeRequest {
  readonly bytes: Uint8Array;
  readonly options: DecodeOptions;
  /** That of `bytes`, if it was read before: it is trusted. */
  readonly header: ImageHeader | undefined;
}

/** The worker's reply: an image, or the reason why decoding failed. */
export type DecodeReply = DecodeResult & {
  /** Whether decoding may have taken more memory than the worker keeps; V8 frees the rest late. */
  readonly isLarge: boolean;
};

type DecodeResult =
  | { readonly image: RawImage }
  | { readonly refused: string }
  | { readonly failed: string };

const scope = workerScope<DecodeRequest, DecodeReply>();

scope.onmessage = async ({ data: { bytes, options, header } }) => {
  let isLarge = false;
  try {
    header ??= readImageHeader(bytes, options.limits, options.size);
    isLarge = bytes.length + decodeMemory(header) > MAX_KEPT;
    const image = await decodeWithHeader(bytes, header, options);
    scope.postMessage({ image, isLarge }, [image.data.buffer as ArrayBuffer]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const refused = error instanceof ImageDecodeError;
    scope.postMessage({ ...(refused ? { refused: message } : { failed: message }), isLarge });
  }
};
