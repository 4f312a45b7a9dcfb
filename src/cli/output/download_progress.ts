import { format } from "@std/fmt/bytes";
import type { DownloadProgress } from "../../hub/hub.ts";
import { drawBar, formatSeconds } from "./bar.ts";
import type { Output } from "./terminal.ts";

/** The least time between redraws, in milliseconds. */
const INTERVAL = 100;

/** A download progress bar in a terminal's last line; draws nothing if the output is not a terminal. */
export class DownloadBar {
  readonly #output: Output;
  readonly #now: () => number;
  #file = "";
  /** The start time of the file's download, and the bytes received by an earlier attempt. */
  #start = 0;
  #first = 0;
  #drawnAt = -Infinity;
  #visible = false;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  /** Draws a file's progress, at most once per interval. */
  show({ file, received, total }: DownloadProgress): void {
    if (!this.#output.isTerminal) return;
    const now = this.#now();
    if (file !== this.#file || received < this.#first) {
      this.#file = file;
      this.#start = now;
      this.#first = received;
    }
    if (now - this.#drawnAt < INTERVAL) return;
    this.#drawnAt = now;
    const parts = [`${format(received)}${total === undefined ? "" : ` of ${format(total)}`}`];
    const seconds = (now - this.#start) / 1000;
    if (seconds > 0 && received > this.#first) {
      const perSecond = (received - this.#first) / seconds;
      parts.push(`${format(perSecond)}/s`);
      if (total !== undefined) parts.push(`${formatSeconds((total - received) / perSecond)} left`);
    }
    const bar = total ? `${drawBar(received / total)} ` : "";
    const text = `${bar}${parts.join("  ")}  ${file}`;
    this.#output.write(`\r\x1b[K${text.slice(0, this.#output.columns - 1)}`);
    this.#visible = true;
  }

  /** Erases the bar, so that other text can be written. */
  clear(): void {
    if (!this.#visible) return;
    this.#output.write("\r\x1b[K");
    this.#visible = false;
    this.#drawnAt = -Infinity;
  }
}
