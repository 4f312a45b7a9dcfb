import { escape } from "@std/html/entities";
import type { Evaluation } from "../../heads/evaluate/evaluate.ts";
import type { Image } from "../../image/image.ts";
import { percent } from "./percent.ts";
import { writePng } from "./png.ts";

/** A misclassified image. */
export interface WrongImage {
  readonly file: string;
  readonly label: string;
  readonly guess: string;
  readonly score: number;
}

/** The contents of a report besides the numbers. */
export interface ReportDetails {
  /** Misclassified images in display order, each with a thumbnail. */
  readonly wrong: readonly (WrongImage & { readonly thumbnail: Image })[];
  /** The classifier's name. */
  readonly model: string;
  /** The command line that made the report. */
  readonly command?: string | undefined;
  /** A warning to show prominently. */
  readonly warning?: string | undefined;
}

/** Formats an evaluation as a self-contained web page: plots, confusion matrix and thumbnails. */
export async function reportHtml(
  evaluation: Evaluation,
  { wrong, model, command, warning }: ReportDetails,
): Promise<string> {
  const { guessing, accuracy, confidenceInterval, count, calibrationError: { before, after } } =
    evaluation;
  const [low, high] = confidenceInterval.map(percent);
  const figures = await Promise.all(wrong.map(figure));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evaluation: ${percent(accuracy)} right</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; }
  th, td { padding: 0.2rem 0.6rem; text-align: right; }
  th:first-child { text-align: left; }
  .plots { display: flex; flex-wrap: wrap; gap: 2rem; }
  .matrix { overflow-x: auto; }
  figure { margin: 0; display: inline-block; width: 9rem; vertical-align: top; }
  figure img { max-width: 8rem; max-height: 8rem; }
  figcaption { font-size: 0.8rem; overflow-wrap: anywhere; }
  svg text { font-size: 11px; fill: #555; }
  .warning { border-left: 0.3rem solid #c33; padding-left: 0.7rem; font-weight: bold; }
  code { overflow-wrap: anywhere; }
</style>
<h1>${percent(accuracy)} right</h1>
${warning === undefined ? "" : `<p class="warning">${escape(sentence(warning))}</p>`}
<p>Model: ${escape(model)}${
    command === undefined ? "" : `<br>Made by: <code>${escape(command)}</code>`
  }</p>
<p>${count} photos; 95 % interval ${low} to ${high}; guessing gets ${
    percent(guessing.chance)
  }. Calibration error ${percent(after)}${
    before === after ? "" : `, ${percent(before)} without the temperature`
  }.</p>
<div class="plots">
${reliabilityPlot(evaluation)}
${riskPlot(evaluation)}
</div>
<h2>Classes</h2>
${classTable(evaluation)}
<h2>Confusion</h2>
<div class="matrix">${confusionTable(evaluation)}</div>
<h2>Misclassified, highest score first</h2>
${figures.join("\n") || "<p>None.</p>"}
</html>
`;
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

const SIZE = 260;
const MARGIN = 40;

/** A plot whose axes both run from 0 to 1. */
function plot(title: string, x: string, y: string, content: string): string {
  const ticks = [0, 0.5, 1].map((share) => {
    const at = SIZE * share;
    return `<text x="${MARGIN + at}" y="${
      SIZE + MARGIN + 16
    }" text-anchor="middle">${share}</text>` +
      `<text x="${MARGIN - 6}" y="${MARGIN + SIZE - at + 4}" text-anchor="end">${share}</text>`;
  }).join("");
  const side = SIZE + 2 * MARGIN;
  return `<div><h2>${title}</h2>
<svg role="img" aria-label="${title}" width="${side}" height="${side}" viewBox="0 0 ${side} ${side}">
<rect x="${MARGIN}" y="${MARGIN}" width="${SIZE}" height="${SIZE}" fill="none" stroke="#bbb"/>
${content}${ticks}
<text x="${MARGIN + SIZE / 2}" y="${side - 4}" text-anchor="middle">${x}</text>
<text x="12" y="${MARGIN + SIZE / 2}" text-anchor="middle" transform="rotate(-90 12 ${
    MARGIN + SIZE / 2
  })">${y}</text>
</svg></div>`;
}

function point(x: number, y: number): string {
  return `${(MARGIN + SIZE * x).toFixed(1)},${(MARGIN + SIZE * (1 - y)).toFixed(1)}`;
}

function reliabilityPlot({ reliability }: Evaluation): string {
  const bars = reliability.filter(({ count }) => count > 0).map(
    ({ range: [low, high], accuracy, count, confidence }) =>
      `<rect x="${(MARGIN + SIZE * low).toFixed(1)}" y="${
        (MARGIN + SIZE * (1 - accuracy)).toFixed(1)
      }" width="${(SIZE * (high - low) - 1).toFixed(1)}" height="${
        (SIZE * accuracy).toFixed(1)
      }" fill="#4a7ebb"><title>${count} photos with a score of ${percent(confidence)}: ${
        percent(accuracy)
      } right</title></rect>`,
  );
  const diagonal = `<polyline points="${point(0, 0)} ${
    point(1, 1)
  }" stroke="#c33" stroke-dasharray="4" fill="none"/>`;
  return plot("Reliability", "score of the best label", "share right", bars.join("") + diagonal);
}

function riskPlot({ riskCoverage }: Evaluation): string {
  const points = riskCoverage.map(({ coverage, risk }) => point(coverage, risk)).join(" ");
  const line = `<polyline points="${points}" stroke="#4a7ebb" stroke-width="2" fill="none"/>`;
  return plot("Risk and coverage", "share of photos, surest first", "share wrong", line);
}

function classTable({ classes }: Evaluation): string {
  const cell = (share: number | undefined) => `<td>${share === undefined ? "" : percent(share)}`;
  const rows = classes.map(({ label, count, recall, precision, f1 }) =>
    `<tr><th>${escape(label)}<td>${count}${[recall, precision, f1].map(cell).join("")}`
  );
  return `<table><tr><th>class<th>photos<th>recall<th>precision<th>F1${rows.join("")}</table>`;
}

function confusionTable({ classes, confusion }: Evaluation): string {
  const head = classes.map(({ label }) => `<th>${escape(label)}`).join("");
  const rows = confusion.map((row, c) => {
    const total = Math.max(1, classes[c]!.count);
    const cells = row.map((times, other) => {
      const hue = other === c ? "74,126,187" : "204,51,51";
      return `<td style="background:rgba(${hue},${(times / total).toFixed(2)})">${times}`;
    });
    return `<tr><th>${escape(classes[c]!.label)}${cells.join("")}`;
  });
  return `<table><tr><th>is \\ named${head}${rows.join("")}</table>`;
}

async function figure(
  { file, label, guess, score, thumbnail }: ReportDetails["wrong"][number],
): Promise<string> {
  const data = (await writePng(thumbnail)).toBase64();
  return `<figure><img alt="" src="data:image/png;base64,${data}"><figcaption>${
    escape(label)
  }, named ${escape(guess)} (${percent(score)})<br>${escape(file)}</figcaption></figure>`;
}
