/** The columns of a table: their names, and the text of each row's cell. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string>>;

/** A Markdown table, whose first `words` columns are words and the others numbers. */
export function markdownTable<Row>(
  columns: Columns<Row>,
  words: number,
  rows: readonly Row[],
): string {
  const names = Object.keys(columns);
  return [
    names,
    names.map((_, i) => i < words ? "---" : "---:"),
    ...rows.map((row) => Object.values(columns).map((cell) => cell(row))),
  ].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
