import stringWidth from "string-width";
import { percent } from "../../heads/evaluate/percent.ts";
import { drawBar } from "./progress/bar.ts";
import { durationText } from "./duration_text.ts";
import { lossText } from "./loss_text.ts";
import type { EpochProgress } from "../../train/epoch_progress.ts";

/** From this rate on, decimals of images per second are noise. */
const WHOLE_RATE = 10;

/**
 * Describes a running epoch in a line that fits the terminal: what matters least is left out first.
 *
 * @param columns the terminal's width; the line is shorter, because a character in the last column would
 * wrap in some terminals.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { trainingLine } from "./training_line.ts";
 *
 * const progress = {
 *   epoch: 3,
 *   epochs: 20,
 *   step: 30,
 *   steps: 60,
 *   loss: 1.234,
 *   imagesPerSecond: 118,
 *   accuracy: 0.612,
 *   secondsLeft: 250,
 * };
 * assertEquals(
 *   trainingLine(progress, 80),
 *   "epoch 3/20  loss 1.234  118 images/s  held-out 61.2 %  4:10 left",
 * );
 * assertEquals(trainingLine(progress, 40), "epoch 3/20  loss 1.234  4:10 left");
 * ```
 */
export function trainingLine(
  { epoch, epochs, step, steps, loss, imagesPerSecond, accuracy, secondsLeft }: EpochProgress,
  columns: number,
): string {
  const rate = imagesPerSecond.toFixed(imagesPerSecond < WHOLE_RATE ? 1 : 0);
  const left = durationText(secondsLeft);
  // In the order of the line; those with the highest rank are left out first.
  const parts = [
    { rank: 5, text: steps > 0 ? drawBar(step / steps) : "" },
    { rank: 0, text: `epoch ${epoch}/${epochs}` },
    { rank: 2, text: `loss ${lossText(loss)}` },
    { rank: 4, text: Number.isFinite(imagesPerSecond) ? `${rate} images/s` : "" },
    { rank: 3, text: Number.isFinite(accuracy) ? `held-out ${percent(accuracy!)}` : "" },
    { rank: 1, text: left === undefined ? "" : `${left} left` },
  ].filter(({ text }) => text !== "");
  for (let rank = 5; rank >= 0; rank--) {
    const line = parts.filter((part) => part.rank <= rank).map(({ text }) => text).join("  ");
    if (rank === 0 || stringWidth(line) < columns) return line.slice(0, Math.max(0, columns - 1));
  }
  return "";
}
