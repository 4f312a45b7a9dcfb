import type { Output } from "../terminal.ts";

/** The least time between redraws, in milliseconds. */
const INTERVAL = 100;
/** Moves to the first column and erases the line (ECMA-48, EL). */
const ERASE = "\r\x1b[K";

/** A terminal's last line, redrawn in place at most once per interval. */
export class StatusLine {
  readonly #output: Output;
  #drawnAt = -Infinity;
  #visible = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /**
   * Replaces the line, unless the output is no terminal or the last redraw is too recent.
   *
   * @param now the time in milliseconds.
   * @param text returns the new text, cut to the terminal's width; called only if the line is redrawn.
   */
  draw(now: number, text: () => string): void {
    if (!this.#output.isTerminal || now - this.#drawnAt < INTERVAL) return;
    this.#drawnAt = now;
    this.#output.write(`${ERASE}${text().slice(0, this.#output.columns - 1)}`);
    this.#visible = true;
  }

  /** Erases the line, so that other text can be written; the next `draw()` redraws it at once. */
  clear(): void {
    if (!this.#visible) return;
    this.#output.write(ERASE);
    this.#visible = false;
    this.#drawnAt = -Infinity;
  }
}
