/**
 * A signal that Ctrl-C and SIGTERM abort; a second one ends the process at once. Call `end` when the work is
 * done.
 */
export function interruptible(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM"] as const;
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, interrupt);
  return {
    signal: controller.signal,
    end() {
      for (const name of names) Deno.removeSignalListener(name, interrupt);
    },
  };
}
