import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** Writes messages to stderr, each a line behind the command's name. */
export function warner(name: string, { stderr }: Pick<Terminal, "stderr">) {
  return (message: string): void => stderr.write(`${name}: ${printable(message)}\n`);
}
