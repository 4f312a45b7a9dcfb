import type { HeadEvaluation } from "../../heads/evaluate/evaluate.ts";
import { percent } from "../../heads/evaluate/percent.ts";
import type { FinetuneRecord, HeldOutValidation } from "../../train/finetune/training_record.ts";
import { durationText } from "./duration_text.ts";
import { evaluationSections } from "./html/evaluation_sections.ts";
import { lastOfEach } from "./html/last_of_each.ts";
import { lineChart } from "./html/line_chart.ts";
import { pointsOf } from "./html/points_of.ts";
import { BY_EPOCH } from "./html/position.ts";
import { type Column, recordTable } from "./html/record_table.ts";
import { shareText } from "./html/share_text.ts";
import { smallChart } from "./html/small_chart.ts";
import type { Point } from "./html/thin_points.ts";
import { shareTickText, tickText } from "./html/tick_text.ts";
import { trainingPage } from "./html/training_page.ts";
import type { WrongThumbnail } from "./html/wrong_figure.ts";
import { lossText } from "./loss_text.ts";

/** The contents of a report of training. */
export interface TrainingReport {
  /** The heading. */
  readonly title: string;
  /** What was trained, as rows of a table. */
  readonly summary: readonly (readonly [name: string, value: string])[];
  /** The finished epochs; of one that a resumed run repeats, the last counts. */
  readonly records: readonly FinetuneRecord[];
  /** The quality of the result; absent if it was not measured. */
  readonly evaluation?: HeadEvaluation | undefined;
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
  const result = evaluation
    ? `<h2>Result: ${percent(evaluation.accuracy)} right</h2>
${await evaluationSections(evaluation, wrong)}`
    : "";
  return trainingPage({
    title,
    summary,
    command,
    warnings: warning ? [warning] : [],
    content: `${curves(lastOfEach(records, ({ epoch }) => epoch))}
${result}`,
  });
}

const COLUMNS: readonly Column<FinetuneRecord>[] = [
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

function curves(records: readonly FinetuneRecord[]): string {
  if (records.length === 0) return "<p>No epoch was finished.</p>";
  const isMeasured = records.some(({ validation, averaged }) => validation ?? averaged);
  const loss = lineChart({
    title: "Loss",
    x: "epoch",
    y: "loss",
    curves: [
      { name: "Training", className: "training", points: byEpoch(records, ({ loss }) => loss) },
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
    formatTick: shareTickText,
    limits: [0, 1],
    minExtent: 0.1,
    best: "highest",
  });
  return `<h2>Loss</h2>
${loss}
<h2>Accuracy on held-out photos</h2>
${isMeasured ? accuracy : "<p>No photos were held out, so the accuracy is not known.</p>"}
<div class="small-charts">
${smallSection("Learning rate", records, ({ learningRate }) => learningRate)}
${smallSection("Gradient norm", records, ({ gradientNorm }) => gradientNorm)}
</div>
${recordTable(records, COLUMNS, "epochs")}`;
}

/** The curves of the weights and of their averages, on held-out images. */
function validationCurves(
  records: readonly FinetuneRecord[],
  figure: (validation: HeldOutValidation) => number,
) {
  return [
    {
      name: "Held-out",
      className: "held-out",
      points: byEpoch(records, ({ validation }) => validation && figure(validation)),
    },
    {
      name: "Held-out, averaged weights",
      className: "averaged",
      points: byEpoch(records, ({ averaged }) => averaged && figure(averaged)),
    },
  ];
}

function smallSection(
  title: string,
  records: readonly FinetuneRecord[],
  figure: (record: FinetuneRecord) => number,
): string {
  const points = byEpoch(records, figure);
  return `<section><h2>${title}</h2>
${smallChart({ title, x: "epoch", position: BY_EPOCH, points })}</section>`;
}

function byEpoch(
  records: readonly FinetuneRecord[],
  figure: (record: FinetuneRecord) => number | undefined,
): Point[] {
  return pointsOf(records, ({ epoch }) => epoch, figure);
}
