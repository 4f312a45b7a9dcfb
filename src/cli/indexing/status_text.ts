import stringWidth from "string-width";
import type { JobCounts, QueueStatus } from "../../search/queue/queue_status.ts";
import type { IndexCounts } from "../../search/vector_index.ts";
import { durationText } from "../output/duration_text.ts";
import { printable } from "../output/printable.ts";

/**
 * Formats how far an index is, for people.
 *
 * @param name of the index.
 */
export function statusText(
  name: string,
  { images, vectors }: IndexCounts,
  { waiting, active, workers, rate, secondsLeft, failedImages, deadJobs }: QueueStatus,
): string {
  const left = secondsLeft === undefined
    ? "nobody works on them"
    : `${rate.toFixed(1)} images/s, ${durationText(secondsLeft)} left`;
  const isBusy = waiting.jobs + active.jobs > 0;
  const rows = workers.map(({ id, state, images, failed, rate, silent }) => [
    printable(id),
    state,
    String(images),
    String(failed),
    rate.toFixed(1),
    `${Math.round(silent)} s ago`,
  ]);
  const header = ["worker", "state", "images", "failed", "images/s", "last seen"];
  return [
    `${printable(name)}: ${images} images, ${vectors} vectors`,
    `waiting: ${jobsText(waiting)}; under way: ${jobsText(active)}${isBusy ? `; ${left}` : ""}`,
    ...(rows.length > 0 ? ["", ...table([header, ...rows])] : []),
    ...failures(
      failedImages,
      "that could not be read or decoded",
      "image",
      ({ path, error }) => `${path}: ${error}`,
    ),
    ...failures(
      deadJobs,
      "that failed again and again; to try them again, enqueue their sources again",
      "job",
      ({ paths: [first, ...more], tries, error }) =>
        `${first}${more.length > 0 ? ` and ${more.length} more` : ""} (${tries} tries): ${error}`,
    ),
    "",
  ].join("\n");
}

function jobsText({ jobs, images }: JobCounts): string {
  return `${images} images in ${jobs} ${jobs === 1 ? "job" : "jobs"}`;
}

/** The first column is on the left, the others are on the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => stringWidth(row[c]!))));
  return rows.map((row) =>
    row.map((text, c) => {
      const space = " ".repeat(widths[c]! - stringWidth(text));
      return c === 0 ? text + space : space + text;
    }).join("  ")
  );
}

function failures<T>(
  { count, first }: { readonly count: number; readonly first: readonly T[] },
  what: string,
  noun: string,
  text: (failure: T) => string,
): string[] {
  if (count === 0) return [];
  const rest = count - first.length;
  return [
    "",
    `${count} ${count === 1 ? noun : `${noun}s`} ${what}:`,
    ...first.map((failure) => `  ${printable(text(failure))}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}
