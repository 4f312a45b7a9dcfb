import { escape } from "@std/html/entities";
import type { Evaluation } from "../../heads/evaluate/evaluate.ts";
import type { TrainingRecord, Validation } from "../../train/training_record.ts";
import { EVALUATION_STYLE, evaluationSections } from "./html/evaluation_sections.ts";
import { lineChart } from "./html/line_chart.ts";
import { recordTable } from "./html/record_table.ts";
import type { Point } from "./html/thin_points.ts";
import { warningHtml } from "./html/warning.ts";
import type { WrongThumbnail } from "./html/wrong_figure.ts";
import { lossText } from "./loss_text.ts";
import { percent } from "../../heads/evaluate/percent.ts";

/** The contents of a report of training. */
export interface TrainingReport {
  /** The heading. */
  readonly title: string;
  /** What was trained, as rows of a table. */
  readonly summary: readonly (readonly [name: string, value: string])[];
  /** The finished epochs; of one that a resumed run repeats, the last counts. */
  readonly records: readonly TrainingRecord[];
  /** The quality of the result; absent if it was not measured. */
  readonly evaluation?: Evaluation | undefined;
  /** Misclassified images of the evaluation in display order, each with a thumbnail. */
  readonly wrong?: readonly WrongThumbnail[];
  /** The command line that made the report. */
  readonly command?: string | undefined;
  /** A warning to show prominently. */
  readonly warning?: string | undefined;
}

/**
 * Formats training as a self-contained web page: what was trained, the curves over the epochs, and what
 * the report of an evaluation shows for the result. It has no scripts, follows the reader's choice of
 * light or dark, and prints in light.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { trainingHtml } from "./training_html.ts";
 *
 * const page = await trainingHtml({
 *   title: "Fine-tuned on 200 photos",
 *   summary: [["model", "small"]],
 *   records: [{
 *     epoch: 1,
 *     epochs: 1,
 *     step: 60,
 *     loss: 1.234,
 *     learningRate: 1e-3,
 *     gradientNorm: 2.5,
 *     imagesPerSecond: 118,
 *     seconds: 8.1,
 *   }],
 * });
 * assertStringIncludes(page, "Training: 1.234 in epoch 1.");
 * ```
 */
export async function trainingHtml(
  { title, summary, records, evaluation, wrong = [], command, warning }: TrainingReport,
): Promise<string> {
  const rows = summary.map(([name, value]) =>
    `<tr><th scope="row">${escape(name)}<td>${escape(value)}`
  );
  const result = evaluation
    ? `<h2>Result: ${percent(evaluation.accuracy)} right</h2>
${await evaluationSections(evaluation, wrong)}`
    : "";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>
${STYLE}</style>
<h1>${escape(title)}</h1>
${warningHtml(warning)}
${rows.length > 0 ? `<table class="summary">${rows.join("")}</table>` : ""}
${command === undefined ? "" : `<p>Made by: <code>${escape(command)}</code></p>`}
${curves(lastOfEach(records))}
${result}</html>
`;
}

const STYLE =
  `  :root { color-scheme: light; --paper: #fff; --ink: #222; --muted: #555; --axis: #888; --grid: #ddd;
    --training: #0072b2; --held-out: #c84e00; --averaged: #00795c; }
  @media screen and (prefers-color-scheme: dark) {
    :root { color-scheme: dark; --paper: #16181b; --ink: #e4e4e4; --muted: #aaa; --axis: #888; --grid: #33373c;
      --training: #63b8ef; --held-out: #f09a4a; --averaged: #3ccba0; }
  }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
    color: var(--ink); background: var(--paper); }
  h1, h2 { overflow-wrap: anywhere; break-after: avoid; }
${EVALUATION_STYLE}  .summary td { text-align: left; overflow-wrap: anywhere; }
  .summary th { font-weight: normal; color: var(--muted); vertical-align: top; white-space: nowrap; }
  .matrix td, .matrix th { white-space: nowrap; }
  .small-charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
  figure.chart { display: block; width: auto; max-width: 45rem; break-inside: avoid; }
  figure.chart.small { max-width: 22rem; }
  /* Smaller than this its text cannot be read: on a phone the chart scrolls. */
  figure.chart:not(.small) { overflow-x: auto; }
  figure.chart:not(.small) svg { min-width: 34rem; }
  .chart figcaption { color: var(--muted); font-size: 0.85rem; }
  svg { max-width: 100%; height: auto; }
  svg text { font-size: 11px; fill: var(--muted); }
  .chart text { font-size: 12px; }
  .axis { stroke: var(--axis); fill: none; }
  .grid { stroke: var(--grid); }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  .line.training { stroke: var(--training); }
  .line.held-out { stroke: var(--held-out); stroke-dasharray: 8 4; }
  .line.averaged { stroke: var(--averaged); stroke-dasharray: 1 4; }
  .mark.training { fill: var(--training); }
  .mark.held-out { fill: var(--held-out); }
  .mark.averaged { fill: var(--averaged); }
  .spot { fill: transparent; }
  .warning { border-left: 0.3rem solid #c33; padding-left: 0.7rem; font-weight: bold; }
  code { overflow-wrap: anywhere; }
  @media print {
    figure.chart:not(.small) svg { min-width: 0; }
    body { max-width: none; margin: 0; print-color-adjust: exact; }
    tr, .plots > div { break-inside: avoid; }
  }
`;

/** The records in the order of their epochs, the last of each epoch. */
function lastOfEach(records: readonly TrainingRecord[]): TrainingRecord[] {
  return [...new Map(records.map((record) => [record.epoch, record])).values()]
    .sort((a, b) => a.epoch - b.epoch);
}

function curves(records: readonly TrainingRecord[]): string {
  if (records.length === 0) return "<p>No epoch was finished.</p>";
  const isMeasured = records.some(({ validation, averaged }) => validation ?? averaged);
  const loss = lineChart({
    title: "Loss",
    x: "epoch",
    y: "loss",
    curves: [
      { name: "Training", className: "training", points: pointsOf(records, ({ loss }) => loss) },
      ...validationCurves(records, ({ loss }) => loss),
    ],
    format: lossText,
    formatTick: tickText,
    include: [0],
    best: "lowest",
  });
  const accuracy = lineChart({
    title: "Accuracy on held-out photos",
    x: "epoch",
    y: "share right",
    curves: validationCurves(records, ({ accuracy }) => accuracy),
    format: percent,
    formatTick: (share) => `${Number((100 * share).toPrecision(6))} %`,
    limits: [0, 1],
    minExtent: 0.1,
    best: "highest",
  });
  return `<h2>Loss</h2>
${loss}
<h2>Accuracy on held-out photos</h2>
${isMeasured ? accuracy : "<p>No photos were held out, so the accuracy is not known.</p>"}
<div class="small-charts">
${smallChart("Learning rate", records, ({ learningRate }) => learningRate)}
${smallChart("Gradient norm", records, ({ gradientNorm }) => gradientNorm)}
</div>
${recordTable(records)}`;
}

/** The curves of the weights and of their averages, on held-out images. */
function validationCurves(
  records: readonly TrainingRecord[],
  figure: (validation: Validation) => number,
) {
  return [
    {
      name: "Held-out",
      className: "held-out",
      points: pointsOf(records, ({ validation }) => validation && figure(validation)),
    },
    {
      name: "Held-out, averaged weights",
      className: "averaged",
      points: pointsOf(records, ({ averaged }) => averaged && figure(averaged)),
    },
  ];
}

function smallChart(
  title: string,
  records: readonly TrainingRecord[],
  figure: (record: TrainingRecord) => number,
): string {
  return `<section><h2>${title}</h2>
${
    lineChart({
      title,
      x: "epoch",
      y: title.toLowerCase(),
      curves: [{ name: title, className: "training", points: pointsOf(records, figure) }],
      format: (value) => String(Number(value.toPrecision(4))),
      formatTick: tickText,
      include: [0],
      isSmall: true,
    })
  }</section>`;
}

/** A figure by epoch; epochs without it are left out. */
function pointsOf(
  records: readonly TrainingRecord[],
  figure: (record: TrainingRecord) => number | undefined,
): Point[] {
  return records.flatMap((record): Point[] => {
    const y = figure(record);
    return y === undefined ? [] : [[record.epoch, y]];
  });
}

/** Ticks are round, so that no digits are lost; those of an axis are written in the same way. */
function tickText(value: number, largest: number): string {
  const isPlain = value === 0 || (largest > 1e-3 && largest < 1e6);
  return isPlain ? String(value) : value.toExponential();
}
