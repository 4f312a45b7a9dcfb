import { asCalled, errorMessage } from "../command.ts";
import { printable } from "../output/printable.ts";
import type { Terminal } from "../output/terminal.ts";

/** Says on stderr, and with `json` also on stdout, why an image is not in the index. */
export function reportImage(
  file: string,
  failure: string,
  json: boolean,
  terminal: Terminal,
): void {
  const error = asCalled(errorMessage(failure), terminal);
  terminal.stderr.write(`${printable(file)}: ${error}\n`);
  if (json) terminal.stdout.write(JSON.stringify({ file, error }) + "\n");
}
