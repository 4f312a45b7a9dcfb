import { escape } from "@std/html/entities";
import { EVALUATION_STYLE } from "./evaluation_sections.ts";
import { warningHtml } from "./warning.ts";

/** The contents of a page about training. */
export interface TrainingPage {
  /** The heading. */
  readonly title: string;
  /** What was trained, as rows of a table. */
  readonly summary: readonly (readonly [name: string, value: string])[];
  /** The command line that made the page. */
  readonly command?: string | undefined;
  /** Warnings to show prominently. */
  readonly warnings: readonly string[];
  /** The sections, as HTML. */
  readonly content: string;
}

/**
 * A self-contained web page about training. It has no scripts, follows the reader's choice of light or dark,
 * and prints in light.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { trainingPage } from "./training_page.ts";
 *
 * const page = trainingPage({ title: "Cats & dogs", summary: [], warnings: ["out of time"], content: "" });
 * assertStringIncludes(page, "<h1>Cats &amp; dogs</h1>");
 * assertStringIncludes(page, "Out of time.");
 * ```
 */
export function trainingPage({ title, summary, command, warnings, content }: TrainingPage): string {
  const rows = summary.map(([name, value]) =>
    `<tr><th scope="row">${escape(name)}<td>${escape(value)}`
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>
${STYLE}</style>
<h1>${escape(title)}</h1>
${warnings.map(warningHtml).join("\n")}
${rows.length > 0 ? `<table class="summary">${rows.join("")}</table>` : ""}
${command === undefined ? "" : `<p>Made by: <code>${escape(command)}</code></p>`}
${content}</html>
`;
}

const STYLE =
  `  :root { color-scheme: light; --paper: #fff; --ink: #222; --muted: #555; --axis: #888; --grid: #ddd;
    --first: #0072b2; --second: #c84e00; --third: #00795c;
    --fourth: #8a4fad; }
  @media screen and (prefers-color-scheme: dark) {
    :root { color-scheme: dark; --paper: #16181b; --ink: #e4e4e4; --muted: #aaa; --axis: #888; --grid: #33373c;
      --first: #63b8ef; --second: #f09a4a; --third: #3ccba0;
      --fourth: #c79be0; }
  }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
    color: var(--ink); background: var(--paper); }
  h1, h2 { overflow-wrap: anywhere; break-after: avoid; }
${EVALUATION_STYLE}  .summary td { text-align: left; overflow-wrap: anywhere; }
  .summary th { font-weight: normal; color: var(--muted); vertical-align: top; white-space: nowrap; }
  .matrix td, .matrix th { white-space: nowrap; }
  .small-charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
  .small-charts section { max-width: 22rem; }
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
  .line.training { stroke: var(--first); }
  .line.held-out, .line.cross-entropy { stroke: var(--second); stroke-dasharray: 8 4; }
  .line.averaged, .line.me-max { stroke: var(--third); stroke-dasharray: 1 4; }
  .line.entropy { stroke: var(--fourth); stroke-dasharray: 8 4 1 4; }
  .line.level { stroke: var(--axis); stroke-width: 1.5; stroke-dasharray: 2 4; }
  .line.level.second { stroke-dasharray: 8 4; }
  .mark.training { fill: var(--first); }
  .mark.held-out, .mark.cross-entropy { fill: var(--second); }
  .mark.averaged, .mark.me-max { fill: var(--third); }
  .mark.entropy { fill: var(--fourth); }
  .spot { fill: transparent; }
  .warning { border-left: 0.3rem solid #c33; padding-left: 0.7rem; font-weight: bold; }
  .sheet { max-width: 100%; image-rendering: pixelated; }
  code { overflow-wrap: anywhere; }
  @media print {
    figure.chart:not(.small) svg { min-width: 0; }
    body { max-width: none; margin: 0; print-color-adjust: exact; }
    tr, .plots > div { break-inside: avoid; }
  }
`;
