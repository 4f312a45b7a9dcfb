import { escape } from "@std/html/entities";
import { percent } from "../../heads/evaluate/percent.ts";
import type { RawImage } from "../../image/raw_image.ts";
import type { PretrainRecord } from "../../train/msn/pretrain_events.ts";
import { durationText } from "./duration_text.ts";
import { alarmTexts } from "./html/alarm_texts.ts";
import { lastOfEach } from "./html/last_of_each.ts";
import { type LineChart, lineChart } from "./html/line_chart.ts";
import { pointsOf } from "./html/points_of.ts";
import { BY_IMAGES } from "./html/position.ts";
import { type Column, recordTable } from "./html/record_table.ts";
import { shareText } from "./html/share_text.ts";
import { smallChart } from "./html/small_chart.ts";
import { shareTickText, tickText } from "./html/tick_text.ts";
import { trainingPage } from "./html/training_page.ts";
import { lossText } from "./loss_text.ts";
import { writePng } from "../../image/write_png.ts";

/** The contents of a report of a pre-training. */
export interface PretrainReport {
  /** The heading. */
  readonly title: string;
  /** What was trained, as rows of a table. */
  readonly summary: readonly (readonly [name: string, value: string])[];
  /** The measurements; of a step that is there twice, the last counts. */
  readonly records: readonly PretrainRecord[];
  /** The command line that made the report. */
  readonly command?: string | undefined;
  /** A warning to show prominently, such as why training ended early. */
  readonly warning?: string | undefined;
  /** A contact sheet of the views of some photos. */
  readonly sheet?: ViewSheet | undefined;
}

/** A contact sheet of views, and what its rows and columns are. */
export interface ViewSheet {
  readonly image: RawImage;
  readonly caption: string;
}

/**
 * Formats a pre-training as a self-contained web page: what was trained, the alarms, how the features and the
 * figures of training went over the images seen. It has no scripts, follows the reader's choice of light or
 * dark, and prints in light.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { pretrainHtml } from "./pretrain_html.ts";
 *
 * const untrained = {
 *   epoch: 1,
 *   epochs: 20,
 *   step: 0,
 *   images: 0,
 *   knnAccuracy: 0.31,
 *   guessing: 0.1,
 *   effectiveRank: 32.1,
 *   largestRank: 191,
 *   featureSimilarity: 0.48,
 *   seconds: 0,
 * };
 * const trained = { ...untrained, step: 60, images: 3840, knnAccuracy: 0.41, seconds: 93 };
 * const page = await pretrainHtml({
 *   title: "Pre-trained on 2000 photos",
 *   summary: [["model", "tiny"]],
 *   records: [untrained, trained],
 * });
 * assertStringIncludes(page, "31.0 % at 0 images; 41.0 % at 3,840 images, the highest.");
 * ```
 */
export async function pretrainHtml(
  { title, summary, records, command, warning, sheet }: PretrainReport,
): Promise<string> {
  const ordered = lastOfEach(records, ({ step }) => step);
  return trainingPage({
    title,
    summary,
    command,
    warnings: [...(warning ? [warning] : []), ...alarmTexts(ordered)],
    content: `${ordered.length === 0 ? "<p>Nothing was measured.</p>" : figures(ordered)}
${sheet ? await sheetHtml(sheet) : ""}`,
  });
}

async function sheetHtml({ image, caption }: ViewSheet): Promise<string> {
  const data = (await writePng(image)).toBase64();
  return `<h2>Views</h2>
<p>${escape(caption)}</p>
<img class="sheet" alt="Views of photos" src="data:image/png;base64,${data}">
`;
}

function figures(records: readonly PretrainRecord[]): string {
  return `${accuracySection(records)}
${rankSection(records)}
${prototypesSection(records)}
${entropySection(records)}
${lossSection(records)}
<div class="small-charts">
${SMALL.map((small) => smallSection(records, small)).join("\n")}
</div>
${recordTable(records, COLUMNS, "records")}`;
}

/** Why figures of training are missing. */
const NO_STEP = "Training took no step that was measured";

/** A heading, what the figure means, and its chart, or why there is none. */
function section(title: string, meaning: string, chart: string, missing: string): string {
  return `<section><h2>${title}</h2>
<p>${meaning}</p>
${chart || `<p>${missing}.</p>`}</section>`;
}

type Figure = (record: PretrainRecord) => number | undefined;

function byImages(records: readonly PretrainRecord[], figure: Figure) {
  return pointsOf(records, ({ images }) => images, figure);
}

/** A chart of one figure over the images seen. */
function chart(
  records: readonly PretrainRecord[],
  figure: Figure,
  { title, ...rest }:
    & Pick<LineChart, "title" | "y" | "format">
    & Partial<Omit<LineChart, "curves" | "position" | "x">>,
): string {
  return lineChart({
    formatTick: tickText,
    ...rest,
    title,
    x: "images seen",
    position: BY_IMAGES,
    curves: [{ name: title, className: "training", points: byImages(records, figure) }],
  });
}

/** The latest value of what hardly changes. */
function latest(records: readonly PretrainRecord[], figure: Figure): number | undefined {
  return records.map(figure).findLast((value) => value !== undefined);
}

function accuracySection(records: readonly PretrainRecord[]): string {
  const untrained = records.find(({ step }) => step === 0)?.knnAccuracy;
  const guessing = latest(records, (record) => record.guessing);
  return section(
    "k-NN accuracy",
    "How many labelled photos are named right by the labels of the photos with the nearest features. " +
      "Higher is better: it should rise above the value before training. Near guessing, the features say nothing about the labels.",
    chart(records, ({ knnAccuracy }) => knnAccuracy, {
      title: "k-NN accuracy",
      y: "share right",
      levels: [
        ...(untrained === undefined
          ? []
          : [{ name: "Before training", className: "level", y: untrained }]),
        ...(guessing === undefined
          ? []
          : [{ name: "Guessing", className: "level second", y: guessing }]),
      ],
      format: percent,
      formatTick: shareTickText,
      limits: [0, 1],
      minExtent: 0.1,
      best: "highest",
    }),
    "No photos have labels, or fewer than two classes have two photos, so the k-NN accuracy is not known",
  );
}

function rankSection(records: readonly PretrainRecord[]): string {
  const largest = latest(records, ({ largestRank }) => largestRank);
  return section(
    "Effective rank",
    "How many directions the features of different photos spread over. It may fall or rise somewhat; a fall to a " +
      "small part of its first value is bad: all photos then look alike to the network (collapse).",
    chart(records, ({ effectiveRank }) => effectiveRank, {
      title: "Effective rank",
      y: "directions",
      format: (rank) => rank.toFixed(1),
      include: [0],
      note: `The largest possible is ${largest}.`,
    }),
    "The rank was not measured",
  );
}

function prototypesSection(records: readonly PretrainRecord[]): string {
  const prototypes = latest(records, (record) => record.prototypes);
  const targets = latest(records, (record) => record.targets);
  return section(
    "Prototypes in use",
    "Training sorts photos by prototypes, which are like classes that it finds by itself. This counts those that " +
      "some photo was assigned to since the record before. Many are good; a handful is collapse.",
    chart(records, ({ prototypesInUse }) => prototypesInUse, {
      title: "Prototypes in use",
      y: "prototypes",
      format: wholeText,
      include: [0],
      note: prototypes === undefined || targets === undefined
        ? undefined
        : `There are ${wholeText(prototypes)} prototypes; the last record counts ${
          wholeText(targets)
        } targets, each of one photo.`,
    }),
    `${NO_STEP}, so the use of the prototypes is not known`,
  );
}

function entropySection(records: readonly PretrainRecord[]): string {
  const prototypes = latest(records, (record) => record.prototypes);
  return section(
    "Target entropy",
    "How undecided the assignment of a photo to prototypes is. It should fall slowly as photos find their " +
      "prototypes; if it stays near the largest possible, nothing is learned.",
    chart(records, ({ targetEntropy }) => targetEntropy, {
      title: "Target entropy",
      y: "nats",
      format: (nats) => `${lossText(nats)} nats`,
      include: [0],
      note: prototypes === undefined
        ? undefined
        : `The largest possible is ${lossText(Math.log(prototypes))} nats, all of ${
          wholeText(prototypes)
        } prototypes alike; 0 names a single one.`,
    }),
    `${NO_STEP}, so the target entropy is not known`,
  );
}

function lossSection(records: readonly PretrainRecord[]): string {
  const curves = [
    { name: "Loss", className: "training", figure: (record: PretrainRecord) => record.loss },
    {
      name: "Cross-entropy",
      className: "cross-entropy",
      figure: (record: PretrainRecord) => record.crossEntropy,
    },
    { name: "Me-max", className: "me-max", figure: (record: PretrainRecord) => record.meMax },
    { name: "Entropy", className: "entropy", figure: (record: PretrainRecord) => record.entropy },
  ];
  return section(
    "Loss and its parts",
    "What training lowers: how far views of a photo disagree (cross-entropy) and how unevenly prototypes are " +
      "predicted (me-max, 0 if evenly), with its weight; the predictions’ entropy counts if it has a weight. The loss " +
      "should fall, but it cannot tell good features from collapsed ones: the figures above can.",
    lineChart({
      title: "Loss and its parts",
      x: "images seen",
      y: "loss",
      position: BY_IMAGES,
      curves: curves.map(({ name, className, figure }) => ({
        name,
        className,
        points: byImages(records, figure),
      })),
      format: lossText,
      formatTick: tickText,
      include: [0],
    }),
    `${NO_STEP}, so the loss is not known`,
  );
}

interface SmallFigure {
  readonly title: string;
  readonly meaning: string;
  readonly figure: Figure;
}

const SMALL: readonly SmallFigure[] = [
  {
    title: "Learning rate",
    meaning: "How far a step moves the weights: as planned, it rises first and then falls.",
    figure: ({ learningRate }) => learningRate,
  },
  {
    title: "Gradient norm",
    meaning:
      "How strongly the loss pulls at the weights. Steady is good; leaps ask for a lower learning rate.",
    figure: ({ gradientNorm }) => gradientNorm,
  },
  {
    title: "Images/s",
    meaning: "The speed of training. Steady is good; a drop means that the machine had other work.",
    figure: ({ imagesPerSecond }) => imagesPerSecond,
  },
];

function smallSection(
  records: readonly PretrainRecord[],
  { title, meaning, figure }: SmallFigure,
): string {
  const points = byImages(records, figure);
  return section(
    title,
    meaning,
    smallChart({ title, x: "images seen", position: BY_IMAGES, points }),
    `${NO_STEP}, so it is not known`,
  );
}

const COLUMNS: readonly Column<PretrainRecord>[] = [
  ["epoch", ({ epoch }) => String(epoch)],
  ["steps", ({ step }) => String(step)],
  ["images", ({ images }) => wholeText(images)],
  ["k-NN accuracy", ({ knnAccuracy }) => mapped(knnAccuracy, shareText)],
  ["effective rank", ({ effectiveRank }) => effectiveRank.toFixed(1)],
  ["similarity", ({ featureSimilarity }) => featureSimilarity.toFixed(4)],
  ["prototypes", ({ prototypesInUse }) => mapped(prototypesInUse, wholeText)],
  ["target entropy", ({ targetEntropy }) => mapped(targetEntropy, lossText)],
  ["target’s probability", (record) => mapped(record.meanTargetProbability, lossText)],
  ["loss", ({ loss }) => mapped(loss, lossText)],
  ["cross-entropy", ({ crossEntropy }) => mapped(crossEntropy, lossText)],
  ["me-max", ({ meMax }) => mapped(meMax, lossText)],
  ["entropy", ({ entropy }) => mapped(entropy, lossText)],
  ["learning rate", ({ learningRate }) => mapped(learningRate, shortText)],
  ["weight decay", ({ weightDecay }) => mapped(weightDecay, shortText)],
  ["momentum", ({ momentum }) => mapped(momentum, (value) => value.toFixed(5))],
  ["gradient norm", ({ gradientNorm }) => mapped(gradientNorm, lossText)],
  ["images/s", ({ imagesPerSecond }) => mapped(imagesPerSecond, (value) => value.toFixed(1))],
  ["time", ({ seconds }) => durationText(seconds)],
  ["alarm", ({ alarm }) => alarm === undefined ? undefined : "yes"],
];

function mapped(value: number | undefined, format: (value: number) => string): string | undefined {
  return value === undefined ? undefined : format(value);
}

function wholeText(count: number): string {
  return count.toLocaleString("en");
}

function shortText(value: number): string {
  return String(Number(value.toPrecision(4)));
}
