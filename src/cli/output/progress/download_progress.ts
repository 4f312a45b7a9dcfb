import { format } from "@std/fmt/bytes";
import type { DownloadProgress } from "../../../hub/hub_options.ts";
import { drawBar, formatSeconds } from "./bar.ts";
import { StatusLine } from "./status_line.ts";
import type { Output } from "../terminal.ts";

/** A download progress bar in a terminal's last line; draws nothing if the output is not a terminal. */
export class DownloadBar {
  readonly #line: StatusLine;
  readonly #now: () => number;
  #file = "";
  /** The start time of the file's download, and the bytes received by an earlier attempt. */
  #start = 0;
  #first = 0;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#line = new StatusLine(output);
    this.#now = now;
  }

  /** Draws a file's progress. */
  show({ file, received, total }: DownloadProgress): void {
    const now = this.#now();
    if (file !== this.#file || received < this.#first) {
      this.#file = file;
      this.#start = now;
      this.#first = received;
    }
    this.#line.draw(now, () => {
      const parts = [`${format(received)}${total === undefined ? "" : ` of ${format(total)}`}`];
      const seconds = (now - this.#start) / 1000;
      if (seconds > 0 && received > this.#first) {
        const perSecond = (received - this.#first) / seconds;
        parts.push(`${format(perSecond)}/s`);
        if (total !== undefined) {
          parts.push(`${formatSeconds((total - received) / perSecond)} left`);
        }
      }
      const bar = total ? `${drawBar(received / total)} ` : "";
      return `${bar}${parts.join("  ")}  ${file}`;
    });
  }

  /** Erases the bar, so that other text can be written. */
  clear(): void {
    this.#line.clear();
  }
}
