import type { ComputedImage } from "../../dataset/computed_images.ts";
import { FailureLog } from "./failure_log.ts";
import { Progress } from "./progress/progress.ts";
import type { Terminal } from "./terminal.ts";

/** Options of {@linkcode printEach}. */
export interface PrintOptions<Result> {
  /** Whether stdout carries JSON lines. */
  readonly json: boolean;
  /** Formats a result for stdout, including the line end. */
  readonly format: (file: string, result: Result) => string;
}

/**
 * Prints the results of images as they come, with their progress. A failed image is reported on stderr, and
 * with `json` also as a JSON line; the others continue.
 *
 * @param count of the images.
 * @returns the exit code: 1 if any image failed, else 0.
 */
export async function printEach<Result>(
  computed: AsyncIterable<ComputedImage<Result>>,
  count: number,
  terminal: Terminal,
  { json, format }: PrintOptions<Result>,
): Promise<number> {
  const progress = new Progress(count, terminal.stderr);
  const failures = new FailureLog(terminal, { json, maxLines: Infinity });
  let exitCode = 0;
  for await (const { file, ...outcome } of computed) {
    progress.clear();
    if (outcome.error === undefined) terminal.stdout.write(format(file, outcome.result!));
    else {
      exitCode = 1;
      failures.add(file, outcome.error);
    }
    progress.advance();
  }
  progress.clear();
  return exitCode;
}
