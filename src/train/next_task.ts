/**
 * Lets other tasks run: signals and timers. A single thread computes on the caller's, whose promises alone
 * would never give way to them.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
