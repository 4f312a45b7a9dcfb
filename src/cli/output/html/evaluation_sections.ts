import type { HeadEvaluation } from "../../../heads/evaluate/evaluate.ts";
import { percent } from "../../../heads/evaluate/percent.ts";
import { classTable } from "./class_table.ts";
import { confusionTable } from "./confusion_table.ts";
import { reliabilityPlot, riskPlot } from "./evaluation_plots.ts";
import { wrongFigure, type WrongThumbnail } from "./wrong_figure.ts";

/** The style of the page with {@linkcode evaluationSections}, besides its colours. */
export const EVALUATION_STYLE = `  table { border-collapse: collapse; }
  th, td { padding: 0.2rem 0.6rem; text-align: right; }
  th:first-child { text-align: left; }
  .plots { display: flex; flex-wrap: wrap; gap: 2rem; }
  .matrix { overflow-x: auto; }
  figure { margin: 0; display: inline-block; width: 9rem; vertical-align: top; }
  figure img { max-width: 8rem; max-height: 8rem; }
  figcaption { font-size: 0.8rem; overflow-wrap: anywhere; }
`;

/**
 * Formats an evaluation as sections of a web page: a sentence, plots, table of classes, confusion matrix
 * and thumbnails.
 *
 * @param wrong misclassified images in display order.
 */
export async function evaluationSections(
  evaluation: HeadEvaluation,
  wrong: readonly WrongThumbnail[],
): Promise<string> {
  const { guessing, confidenceInterval, count, calibrationError: { before, after } } = evaluation;
  const [low, high] = confidenceInterval.map(percent);
  const figures = await Promise.all(wrong.map(wrongFigure));
  return `<p>${count} photos; 95 % interval ${low} to ${high}; guessing gets ${
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
`;
}
