import type { HeadEvaluation } from "../../../heads/evaluate/evaluate.ts";
import { percent } from "../../../heads/evaluate/percent.ts";

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

/** The reliability diagram as HTML: how often scores of each size are right. */
export function reliabilityPlot({ reliability }: HeadEvaluation): string {
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

/** The risk-coverage curve as HTML: the share wrong among the surest photos. */
export function riskPlot({ riskCoverage }: HeadEvaluation): string {
  const points = riskCoverage.map(({ coverage, risk }) => point(coverage, risk)).join(" ");
  const line = `<polyline points="${points}" stroke="#4a7ebb" stroke-width="2" fill="none"/>`;
  return plot("Risk and coverage", "share of photos, surest first", "share wrong", line);
}
