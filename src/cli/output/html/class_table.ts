import { escape } from "@std/html/entities";
import type { HeadEvaluation } from "../../../heads/evaluate/evaluate.ts";
import { percent } from "../../../heads/evaluate/percent.ts";

/** The metrics of every class as an HTML table. */
export function classTable({ classes }: HeadEvaluation): string {
  const cell = (share: number | undefined) => `<td>${share === undefined ? "" : percent(share)}`;
  const rows = classes.map(({ label, count, recall, precision, f1 }) =>
    `<tr><th>${escape(label)}<td>${count}${[recall, precision, f1].map(cell).join("")}`
  );
  return `<table><tr><th>class<th>photos<th>recall<th>precision<th>F1${rows.join("")}</table>`;
}
