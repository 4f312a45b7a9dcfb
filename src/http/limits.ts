/** The limits of a service and of a single request. */
export interface ServerLimits {
  /** A request's body, in bytes. */
  readonly maxBodyBytes: number;
  /** All bodies in memory together, in bytes. */
  readonly maxUploadBytes: number;
  /** The memory for decoding an image, in bytes; the images of a request share it. */
  readonly maxDecodeBytes: number;
  /** The memory for the attentions of an image, in bytes; there is one image at a time. */
  readonly maxAttentionBytes: number;
  /** The longer side of a picture in an answer, in pixels. */
  readonly maxPictureSide: number;
  /** Images in one request. */
  readonly maxImages: number;
  /** Images in progress, from the end of the upload to the result; further ones are answered 429. */
  readonly maxWaiting: number;
  /** The time from a request's head to its answer, in milliseconds. */
  readonly timeout: number;
  /** The time for the upload of a request's body, in milliseconds. */
  readonly uploadTimeout: number;
  /** The least rate of an upload, in bytes a second over some seconds; slower bodies are refused. */
  readonly minUploadRate: number;
}

/** Limits for a small host: a JPEG of 24 megapixels, 32 images a request, half a minute. */
export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxBodyBytes: 20_000_000,
  maxUploadBytes: 60_000_000,
  maxDecodeBytes: 240_000_000,
  maxAttentionBytes: 64_000_000, // of ViT-L/16 and all smaller ones
  maxPictureSide: 1024,
  maxImages: 32,
  maxWaiting: 64,
  timeout: 30_000,
  uploadTimeout: 20_000,
  minUploadRate: 8000,
};

/** @throws {RangeError} if a limit is not a positive integer. */
export function checkLimits(limits: ServerLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot make a service: ${name} is ${value}, not a positive integer`);
    }
  }
}
