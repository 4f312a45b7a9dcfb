import { DownloadError } from "./download_error.ts";

/** How often something is tried before its error counts. */
const MAX_TRIES = 5;
/** The longest wait between two tries, in milliseconds, whatever a server asks for. */
const MAX_WAIT = 60_000;
/** The wait after the first try, in milliseconds; it doubles from try to try. */
const FIRST_WAIT = 1000;

/**
 * Calls a function until it succeeds, with growing pauses.
 *
 * @param sleep waits for some milliseconds.
 * @throws {DownloadError} of the last try, or at once one that no other try can mend.
 */
export async function retry<T>(
  action: () => Promise<T>,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof DownloadError) || !error.retry) throw error;
      if (tries === MAX_TRIES) throw new DownloadError(`${error.message} (tried ${tries} times)`);
      const wait = Math.min(error.after ?? FIRST_WAIT * 2 ** (tries - 1), MAX_WAIT);
      if (wait > 0) await sleep(wait);
    }
  }
}

/**
 * Reads a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date.
 *
 * @param now the time, in milliseconds since 1970.
 * @returns milliseconds; nothing if there is no such header, or it makes no sense.
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get("Retry-After")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
