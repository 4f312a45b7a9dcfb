/** The most records that the table shows. */
export const MAX_ROWS = 200;

/** A column of a {@linkcode recordTable}: its name, and the text of a record, which needs no escaping. */
export type Column<R> = readonly [name: string, cell: (record: R) => string | undefined];

/**
 * The figures of records as an HTML table that can be opened; of many records, every so many are shown.
 * Columns without a figure are left out.
 *
 * @param plural what the records are, such as "epochs".
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { recordTable } from "./record_table.ts";
 *
 * const table = recordTable([{ epoch: 1 }, { epoch: 2 }], [["epoch", (r) => String(r.epoch)]], "epochs");
 * assertStringIncludes(table, "<tr><td>2");
 * ```
 */
export function recordTable<R>(
  records: readonly R[],
  columns: readonly Column<R>[],
  plural: string,
): string {
  const every = Math.ceil(records.length / MAX_ROWS);
  // Counted from the end, so that the last record is shown.
  const shown = records.filter((_, i) => (records.length - 1 - i) % every === 0);
  const title = every === 1 ? "All figures" : `All figures of one in ${every} ${plural}`;
  const filled = columns.filter(([_, cell]) => shown.some((record) => cell(record) !== undefined));
  const rows = shown.map((record) =>
    `<tr>${filled.map(([_, cell]) => `<td>${cell(record) ?? ""}`).join("")}`
  );
  return `<details><summary>${title}</summary><div class="matrix"><table><tr>${
    filled.map(([name]) => `<th scope="col">${name}`).join("")
  }${rows.join("\n")}</table></div></details>`;
}
