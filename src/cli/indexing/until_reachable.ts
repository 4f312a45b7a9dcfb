import { isConnectionBroken } from "../../search/postgres/postgres_error.ts";
import { errorMessage } from "../command.ts";
import { pause } from "./pause.ts";

/** The longest wait between two attempts, in seconds. */
const MAX_WAIT = 30;

/**
 * Runs a function that uses a server, again and again while the server cannot be reached.
 *
 * @param signal ends the attempts.
 * @param warn called with a sentence before each wait.
 * @throws {Error} what the function throws for another reason, or when the attempts have ended.
 */
export async function untilReachable<T>(
  run: () => Promise<T>,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<T> {
  for (let wait = 1;; wait = Math.min(MAX_WAIT, 2 * wait)) {
    try {
      return await run();
    } catch (error) {
      if (signal.aborted || !isUnreachable(error)) throw error;
      const message = errorMessage(error);
      const what = message.startsWith("Cannot ") ? "" : "Cannot reach the server: ";
      warn(`${what}${message}; trying again in ${wait} s`);
      await pause(1000 * wait, signal);
    }
  }
}

function isUnreachable(error: unknown): boolean {
  return isConnectionBroken(error) || isConnectionBroken((error as Error | undefined)?.cause);
}
