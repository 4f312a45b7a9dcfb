/** What one service takes on at a time, and of one request. */
export interface Limits {
  /** Of a request's body, in bytes. */
  readonly maxBodyBytes: number;
  /** Of all bodies that are in memory together, in bytes. */
  readonly maxUploadBytes: number;
  /** That decoding an image may take, in bytes, and a request's images together at a time. */
  readonly maxDecodeBytes: number;
  /** Images in one request. */
  readonly maxImages: number;
  /** Images in progress, from the end of the upload to the result; further ones are answered 429. */
  readonly maxWaiting: number;
  /** Of a request, from its head to its answer, in milliseconds. */
  readonly timeout: number;
  /** For a request's body to come, in milliseconds. */
  readonly uploadTimeout: number;
  /** In bytes a second, on average over some seconds; a body that comes more slowly is given up. */
  readonly minUploadRate: number;
}

/** Limits for a small host: a JPEG of 24 megapixels, 32 images a request, half a minute. */
export const DEFAULT_LIMITS: Limits = {
  maxBodyBytes: 20_000_000,
  maxUploadBytes: 60_000_000,
  maxDecodeBytes: 240_000_000,
  maxImages: 32,
  maxWaiting: 64,
  timeout: 30_000,
  uploadTimeout: 20_000,
  minUploadRate: 8000,
};

/** @throws {RangeError} if a limit is no positive integer. */
export function checkLimits(limits: Limits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot make a service: ${name} is ${value}, not a positive integer`);
    }
  }
}
