import type { Call } from "../../engine/kernels.ts";

/** What the threads do between two of their meetings: each thread's calls. */
export type Round = readonly (readonly Call[])[];

/** A thread's Scratch and GradientScratch: pointers. */
export interface ThreadScratch {
  readonly forward: number;
  readonly backward: number;
}

/** Columns that threads share out: a cache line. */
export const COLUMNS = 16;

/** Calls of several rounds that take place together. */
export function together(...rounds: readonly Round[]): Call[][] {
  const threads = Math.max(...rounds.map((round) => round.length));
  return Array.from({ length: threads }, (_, t) => rounds.flatMap((round) => round[t] ?? []));
}

/** Shares rows among threads. */
export function byRows(
  rows: number,
  threads: number,
  calls: (start: number, end: number, thread: number) => Call[],
): Round {
  return Array.from({ length: threads }, (_, thread) => {
    const start = Math.floor(rows * thread / threads);
    const end = Math.floor(rows * (thread + 1) / threads);
    return end > start ? calls(start, end, thread) : [];
  });
}

/** Shares columns among threads, in whole cache lines; the last end may be past the last column. */
export function byColumns(
  columns: number,
  threads: number,
  calls: (start: number, end: number, thread: number) => Call[],
): Round {
  return byRows(
    Math.ceil(columns / COLUMNS),
    threads,
    (start, end, thread) => calls(COLUMNS * start, COLUMNS * end, thread),
  );
}
