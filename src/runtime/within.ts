/**
 * Waits for a promise, but no longer than that.
 *
 * @param what took too long, for the message.
 * @throws {Error} when the time is over. What the promise is for goes on; nobody hears of it any more.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { within } from "./within.ts";
 *
 * assertEquals(await within(Promise.resolve(1), 1000, "counting"), 1);
 * ```
 */
export async function within<T>(promise: Promise<T>, milliseconds: number, what: string) {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} took over ${milliseconds / 1000} s`)),
    milliseconds,
  );
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
