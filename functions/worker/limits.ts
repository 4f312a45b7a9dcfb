import type { ServerLimits } from "../../src/http/limits.ts";

/**
 * Limits by which a Worker stays below its 128 MB; `deno task test:workers` measures it. One image at a time is
 * decoded, in at most 48 MiB of WebAssembly memory, which stays. The rest is for the engine with the embedded
 * model, bodies, pixels, and what waits for garbage collection.
 */
export const WORKER_LIMITS: Partial<ServerLimits> = {
  // 12 megapixels at best quality have 8 MB.
  maxBodyBytes: 10_000_000,
  maxUploadBytes: 20_000_000,
  // PNGs and WebPs of 3 megapixels, GIFs of 5. With `fast`, baseline JPEGs of any size within the decoder's
  // limits, and progressive ones, whose coefficients are all kept, of 14 megapixels in 4:2:0, 7 in 4:4:4.
  maxDecodeBytes: 45_000_000,
  maxImages: 8,
  maxWaiting: 16,
};
