import { escape } from "@std/html/entities";
import type { HeadEvaluation } from "../../heads/evaluate/evaluate.ts";
import { EVALUATION_STYLE, evaluationSections } from "./html/evaluation_sections.ts";
import { warningHtml } from "./html/warning.ts";
import type { WrongThumbnail } from "./html/wrong_figure.ts";
import { percent } from "../../heads/evaluate/percent.ts";

export type { WrongImage } from "./html/wrong_figure.ts";

/** The contents of a report besides the numbers. */
export interface ReportDetails {
  /** Misclassified images in display order, each with a thumbnail. */
  readonly wrong: readonly WrongThumbnail[];
  /** The classifier's name. */
  readonly model: string;
  /** The command line that made the report. */
  readonly command?: string | undefined;
  /** A warning to show prominently. */
  readonly warning?: string | undefined;
}

/** Formats an evaluation as a self-contained web page: plots, confusion matrix and thumbnails. */
export async function reportHtml(
  evaluation: HeadEvaluation,
  { wrong, model, command, warning }: ReportDetails,
): Promise<string> {
  const { accuracy } = evaluation;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evaluation: ${percent(accuracy)} right</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
${EVALUATION_STYLE}  svg text { font-size: 11px; fill: #555; }
  .warning { border-left: 0.3rem solid #c33; padding-left: 0.7rem; font-weight: bold; }
  code { overflow-wrap: anywhere; }
</style>
<h1>${percent(accuracy)} right</h1>
${warningHtml(warning)}
<p>Model: ${escape(model)}${
    command === undefined ? "" : `<br>Made by: <code>${escape(command)}</code>`
  }</p>
${await evaluationSections(evaluation, wrong)}</html>
`;
}
