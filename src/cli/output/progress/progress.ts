import { drawBar, formatSeconds } from "./bar.ts";
import { StatusLine } from "./status_line.ts";
import type { Output } from "../terminal.ts";

/** Fewer images finish before a bar could be read. */
const MIN_COUNT = 10;

/** A progress bar in a terminal's last line; draws nothing if the output is not a terminal. */
export class Progress {
  readonly #total: number;
  readonly #line: StatusLine;
  readonly #start = performance.now();
  #done = 0;

  constructor(total: number, output: Output) {
    this.#total = total;
    this.#line = new StatusLine(output);
  }

  /** Counts one more as done and draws the bar. */
  advance(): void {
    this.#done++;
    if (this.#total < MIN_COUNT) return;
    const now = performance.now();
    this.#line.draw(now, () => {
      const perSecond = this.#done / ((now - this.#start) / 1000);
      const left = formatSeconds((this.#total - this.#done) / perSecond);
      const bar = drawBar(this.#done / this.#total);
      return `${bar} ${this.#done}/${this.#total}  ${perSecond.toFixed(1)}/s  ${left} left`;
    });
  }

  /** Erases the bar, so that other text can be written; the next `advance()` redraws it. */
  clear(): void {
    this.#line.clear();
  }
}
