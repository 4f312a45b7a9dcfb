import { asCalled } from "../command.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** Returns a function that writes a message to stderr as one line, prefixed with the command's name. */
export function log(name: string, terminal: Pick<Terminal, "stderr" | "program">) {
  return (message: string): void =>
    terminal.stderr.write(`${name}: ${asCalled(printable(message), terminal)}\n`);
}
