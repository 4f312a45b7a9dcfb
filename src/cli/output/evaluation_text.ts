import { bold } from "@std/fmt/colors";
import stringWidth from "string-width";
import type { HeadEvaluation } from "../../heads/evaluate/evaluate.ts";
import { percent } from "../../heads/evaluate/percent.ts";
import { printable } from "./printable.ts";
import type { Output } from "./terminal.ts";

/** The most classes for which a confusion matrix is still readable. */
const MAX_MATRIX = 12;
/** The coverages at which the risk is printed. */
const COVERAGES = [0.5, 0.8, 0.9, 1];

/** Formats an evaluation as text tables. */
export function evaluationText(
  evaluation: HeadEvaluation,
  { color }: Pick<Output, "color">,
): string {
  const { accuracy, confidenceInterval, count, calibrationError, classes, confusion } = evaluation;
  const title = (text: string) => color ? bold(text) : text;
  const [low, high] = confidenceInterval.map(percent);
  const names = classes.map(({ label }) => printable(label));
  const width = Math.max(5, ...names.map((name) => stringWidth(name)));
  const pad = (name: string) => name + " ".repeat(width - stringWidth(name));
  const cell = (share: number | undefined, column: string) =>
    (share === undefined ? "" : percent(share)).padStart(column.length + 2);
  const rows = classes.map(({ count, recall, precision, f1 }, c) => {
    const wrong = confusion[c]!.map((times, other) => other === c ? 0 : times);
    const most = wrong.indexOf(Math.max(...wrong));
    const mistaken = wrong[most]! > 0 ? `  ${names[most]} (${wrong[most]})` : "";
    const shares = cell(recall, " recall") + cell(precision, "precision") + cell(f1, "     F1");
    return `${pad(names[c]!)}  ${String(count).padStart(6)}${shares}${mistaken}`;
  });
  const { before, after } = calibrationError;
  const calibration = before === after
    ? percent(after)
    : `${percent(after)}, ${percent(before)} without the temperature`;
  const risks = evaluation.riskCoverage
    .filter(({ coverage }) => COVERAGES.some((wanted) => Math.abs(wanted - coverage) < 1e-9))
    .map(({ coverage, risk }) => `${percent(risk)} of the surest ${Math.round(100 * coverage)} %`);
  return [
    `${title(`${percent(accuracy)} right`)}  (95 %: ${low} to ${high}; ${count} photos; guessing: ${
      percent(evaluation.guessing.chance)
    })`,
    "",
    title(`${pad("class")}  photos   recall  precision       F1  most often taken for`),
    ...rows.map((row) => row.trimEnd()),
    ...(classes.length <= MAX_MATRIX ? ["", title("confusion"), ...matrix(names, confusion)] : []),
    "",
    `Calibration error: ${calibration}`,
    `Wrong: ${risks.join(", ")}`,
    "",
  ].join("\n");
}

/** The confusion matrix: rows are true classes, columns predicted ones, both named by letters. */
function matrix(names: readonly string[], confusion: HeadEvaluation["confusion"]): string[] {
  const letters = names.map((_, c) => String.fromCharCode(97 + c));
  const width = 1 + Math.max(...confusion.flat().map((times) => String(times).length), 1);
  const cells = (values: readonly (string | number)[]) =>
    values.map((value) => String(value).padStart(width)).join("");
  return [
    ` ${cells(letters)}`,
    ...confusion.map((row, c) => `${letters[c]}${cells(row)}  ${names[c]}`),
  ];
}

/** Formats an evaluation as JSON. */
export function evaluationJson(evaluation: HeadEvaluation): Record<string, unknown> {
  const { accuracy, confidenceInterval, count, classes, confusion } = evaluation;
  return {
    accuracy,
    confidence_interval: confidenceInterval,
    chance: evaluation.guessing.chance,
    better_than_guessing: evaluation.guessing.isBetter,
    count,
    classes,
    confusion,
    calibration_error: evaluation.calibrationError,
    reliability: evaluation.reliability,
    risk_coverage: evaluation.riskCoverage,
  };
}
