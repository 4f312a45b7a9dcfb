import { drawBar, formatSeconds } from "./bar.ts";
import type { Output } from "./terminal.ts";

/** Fewer images finish before a bar could be read. */
const MIN_COUNT = 10;
/** The least time between redraws, in milliseconds. */
const INTERVAL = 100;

/** A progress bar in a terminal's last line; draws nothing if the output is not a terminal. */
export class Progress {
  readonly #total: number;
  readonly #output: Output;
  readonly #enabled: boolean;
  readonly #start = performance.now();
  #done = 0;
  #drawnAt = -Infinity;
  #visible = false;

  constructor(total: number, output: Output) {
    this.#total = total;
    this.#output = output;
    this.#enabled = output.isTerminal && total >= MIN_COUNT;
  }

  /** Counts one more as done and draws the bar, at most once per interval. */
  advance(): void {
    this.#done++;
    const now = performance.now();
    if (!this.#enabled || now - this.#drawnAt < INTERVAL) return;
    this.#drawnAt = now;
    const perSecond = this.#done / ((now - this.#start) / 1000);
    const bar = drawBar(this.#done / this.#total);
    const left = formatSeconds((this.#total - this.#done) / perSecond);
    const text = `${bar} ${this.#done}/${this.#total}  ${perSecond.toFixed(1)}/s  ${left} left`;
    this.#output.write(`\r\x1b[K${text.slice(0, this.#output.columns - 1)}`);
    this.#visible = true;
  }

  /** Erases the bar, so that other text can be written; the next `advance()` redraws it. */
  clear(): void {
    if (!this.#visible) return;
    this.#output.write("\r\x1b[K");
    this.#visible = false;
    this.#drawnAt = -Infinity;
  }
}
