import { isTransient } from "./postgres_error.ts";

/** Waits between attempts, in milliseconds: a server that starts anew is back within them. */
const WAITS = [100, 300, 1000, 3000, 8000];

/**
 * Runs a transaction, and again, a little later, if the connection broke or another transaction was in the way. It
 * may have been committed although the connection broke before the answer: it must do no harm to run it twice.
 */
export async function retried<T>(
  run: () => Promise<T>,
  waits: readonly number[] = WAITS,
): Promise<T> {
  for (let attempt = 0;; attempt++) {
    try {
      return await run();
    } catch (error) {
      const wait = waits[attempt];
      if (wait === undefined || !isTransient(error)) throw error;
      // Processes that were in each other's way come back at different times.
      await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
    }
  }
}
