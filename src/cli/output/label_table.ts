import { bold, cyan, dim } from "@std/fmt/colors";
import stringWidth from "string-width";
import type { Classification } from "../../model/outputs/classification.ts";
import { printable } from "./printable.ts";
import type { Output } from "./terminal.ts";

const MAX_BAR = 40;
/** Blocks of zero to seven eighths. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** The significant decimal digits of a float32. */
const DIGITS = 7;

/**
 * Formats a file's labels as a table: label, score and bar, or for a regression model the raw values.
 */
export function labelTable(
  file: string,
  labels: readonly Classification[],
  { color, columns }: Pick<Output, "color" | "columns">,
  { areValues = false }: { areValues?: boolean } = {},
): string {
  const paint = (style: (text: string) => string, text: string) => color ? style(text) : text;
  const named = labels.map(({ label, score }) => ({ label: printable(label), score }));
  const nameWidth = Math.max(0, ...named.map(({ label }) => stringWidth(label)));
  // Two spaces, name, two spaces, "100.0 %", two spaces.
  const barWidth = Math.max(0, Math.min(MAX_BAR, columns - nameWidth - 13));
  const rows = named.map(({ label, score }, rank) => {
    const name = label + " ".repeat(nameWidth - stringWidth(label));
    const start = `  ${rank === 0 && !areValues ? paint(bold, name) : name}  `;
    if (areValues) return start + Number(score.toPrecision(DIGITS));
    const percent = `${(100 * score).toFixed(1).padStart(5)} %`;
    const drawn = bar(score, barWidth);
    return start + percent + (drawn && `  ${paint(cyan, drawn)}`);
  });
  if (rows.length === 0) rows.push(paint(dim, "  no label reaches the threshold"));
  return [paint(bold, printable(file)), ...rows, ""].join("\n");
}

function bar(score: number, width: number): string {
  const eighths = Math.round(score * width * 8);
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}
