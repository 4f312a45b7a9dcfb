import { escape } from "@std/html/entities";
import type { HeadEvaluation } from "../../../heads/evaluate/evaluate.ts";

/** The confusion matrix as an HTML table: a row a true class, a column a predicted one. */
export function confusionTable({ classes, confusion }: HeadEvaluation): string {
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
