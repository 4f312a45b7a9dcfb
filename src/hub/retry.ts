import { DownloadError } from "./download_error.ts";

/** The maximum number of attempts. */
const MAX_TRIES = 5;
/** The longest wait between two attempts, in milliseconds, even if a server requests more. */
const MAX_WAIT = 60_000;
/** The wait after the first attempt, in milliseconds; it doubles after each attempt. */
const FIRST_WAIT = 1000;

/**
 * Calls a function until it succeeds, up to 5 times, with exponential backoff.
 *
 * @param sleep resolves after this many milliseconds.
 * @param signal ends the attempts.
 * @throws {DownloadError} from the last attempt. An error without `retry` is thrown at once, and the signal's
 * reason if it is aborted.
 */
export async function retry<T>(
  action: () => Promise<T>,
  sleep: (milliseconds: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<T> {
  for (let tries = 1;; tries++) {
    signal?.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      signal?.throwIfAborted(); // what failed is only what was aborted
      if (!(error instanceof DownloadError) || !error.retry) throw error;
      if (tries === MAX_TRIES) throw new DownloadError(`${error.message} (tried ${tries} times)`);
      const wait = Math.min(error.after ?? FIRST_WAIT * 2 ** (tries - 1), MAX_WAIT);
      if (wait > 0) await sleep(wait);
    }
  }
}

/**
 * Parses a `Retry-After` header (RFC 9110, 10.2.3): seconds or a date.
 *
 * @param now the time in milliseconds since 1970.
 * @returns the delay in milliseconds; `undefined` if the header is missing or malformed.
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get("Retry-After")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
