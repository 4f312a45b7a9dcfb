import type { ServerLimits } from "../../src/http/limits.ts";

/**
 * Limits by which a Worker stays below its 128 MB. `deno task test:workers` measures it: the engine with its
 * code and the embedded model takes about 20 MB; one image at a time is decoded, in at most 64 MiB of
 * WebAssembly memory, which stays; what bodies and pixels leave behind waits for garbage collection.
 */
export const WORKER_LIMITS: Partial<ServerLimits> = {
  // 12 megapixels at best quality have 8 MB.
  maxBodyBytes: 10_000_000,
  maxUploadBytes: 20_000_000,
  // With `fast`, a progressive JPEG (4:2:0) of 18 megapixels, and any other JPEG; without scaling, as with
  // PNG and WebP, 4 megapixels.
  maxDecodeBytes: 60_000_000,
  maxImages: 8,
  maxWaiting: 16,
};
