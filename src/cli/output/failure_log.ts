import { asCalled, errorMessage } from "../command.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** The most lines on stderr: nobody reads a hundred thousand. */
const MAX_LINES = 100;

/** Options of {@linkcode FailureLog}. */
export interface FailureLogOptions {
  /** Whether stdout gets a JSON line for each image. */
  readonly json: boolean;
  /** The images that stderr names; default 100. */
  readonly maxLines?: number;
}

/** Says which images failed, and why: the first ones on stderr, and with `json` all of them on stdout. */
export class FailureLog {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  readonly #maxLines: number;
  #count = 0;

  constructor(terminal: Terminal, { json, maxLines = MAX_LINES }: FailureLogOptions) {
    this.#terminal = terminal;
    this.#json = json;
    this.#maxLines = maxLines;
  }

  /** Says why an image failed. */
  add(file: string, failure: string): void {
    const { stdout, stderr } = this.#terminal;
    const error = asCalled(errorMessage(failure), this.#terminal);
    if (++this.#count <= this.#maxLines) stderr.write(`${printable(file)}: ${error}\n`);
    if (this.#json) stdout.write(JSON.stringify({ file, error }) + "\n");
  }

  /** Says how many images stderr does not name, if any. */
  end(warn: (message: string) => void): void {
    const more = this.#count - this.#maxLines;
    if (more <= 0) return;
    warn(`${more} more ${more === 1 ? "image" : "images"} failed; --json lists all`);
  }
}
