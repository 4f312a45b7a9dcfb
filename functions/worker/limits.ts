import type { ServerLimits } from "../../src/http/limits.ts";

/**
 * Limits by which a Worker stays below its 128 MB; `deno task test:workers` measures it. One image at a time is
 * decoded, in at most 48 MiB of WebAssembly memory, which stays. The rest is for the engine with the embedded
 * model, bodies, pixels, and what waits for garbage collection.
 */
export const WORKER_LIMITS: Partial<ServerLimits> = {
  // 12 megapixels at best quality have 8 MB.
  maxBodyBytes: 10_000_000,
  maxUploadBytes: 12_000_000,
  // With `fast`, baseline JPEGs of any size within the decoder's limits; progressive ones, whose coefficients
  // are all kept, of 12.6 megapixels in 4:2:0, 9.6 in 4:2:2, 6.5 in 4:4:4. Unscaled images: 2.6 megapixels of
  // PNG, 2.5 of WebP, 5 of GIF.
  maxDecodeBytes: 40_000_000,
  // The embedded model takes 0.3 MB.
  maxAttentionBytes: 4_000_000,
  maxPictureSide: 400, // at most 0.5 MB, and twice as much on the way to a PNG
  maxImages: 8,
  maxWaiting: 16,
};
