import type { TrainingRecord } from "../../../train/training_record.ts";
import { durationText } from "../duration_text.ts";
import { lossText } from "../loss_text.ts";
import { percent } from "../../../heads/evaluate/percent.ts";

/** The most epochs that the table shows. */
export const MAX_ROWS = 200;

/** The figures of epochs as an HTML table that can be opened; of many epochs, every so many are shown. */
export function recordTable(records: readonly TrainingRecord[]): string {
  const every = Math.ceil(records.length / MAX_ROWS);
  // Counted from the end, so that the last epoch is shown.
  const shown = records.filter((_, i) => (records.length - 1 - i) % every === 0);
  const title = every === 1 ? "All figures" : `All figures of one in ${every} epochs`;
  const columns = COLUMNS.filter(([_, cell]) => shown.some((record) => cell(record) !== undefined));
  const rows = shown.map((record) =>
    `<tr>${columns.map(([_, cell]) => `<td>${cell(record) ?? ""}`).join("")}`
  );
  return `<details><summary>${title}</summary><div class="matrix"><table><tr>${
    columns.map(([name]) => `<th scope="col">${name}`).join("")
  }${rows.join("\n")}</table></div></details>`;
}

type Column = readonly [name: string, cell: (record: TrainingRecord) => string | undefined];

const COLUMNS: readonly Column[] = [
  ["epoch", ({ epoch }) => String(epoch)],
  ["steps", ({ step }) => String(step)],
  ["loss", ({ loss }) => lossText(loss)],
  ["held-out loss", ({ validation }) => validation && lossText(validation.loss)],
  ["held-out right", ({ validation }) => validation && shareText(validation.accuracy)],
  ["averaged: loss", ({ averaged }) => averaged && lossText(averaged.loss)],
  ["averaged: right", ({ averaged }) => averaged && shareText(averaged.accuracy)],
  ["learning rate", ({ learningRate }) => String(Number(learningRate.toPrecision(4)))],
  ["gradient norm", ({ gradientNorm }) => lossText(gradientNorm)],
  ["images/s", ({ imagesPerSecond }) => imagesPerSecond.toFixed(1)],
  ["time", ({ seconds }) => durationText(seconds)],
];

function shareText(share: number): string {
  return Number.isFinite(share) ? percent(share) : String(share);
}
