import { delay } from "@std/async/delay";

/** Waits for some milliseconds, or until a signal is aborted. */
export async function pause(time: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(time, { signal });
  } catch {
    // the signal is aborted
  }
}
