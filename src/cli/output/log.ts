import { asCalled } from "../command.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** Writes messages to stderr, each a line behind the command's name. */
export function log(name: string, terminal: Pick<Terminal, "stderr" | "program">) {
  return (message: string): void =>
    terminal.stderr.write(`${name}: ${asCalled(printable(message), terminal)}\n`);
}
