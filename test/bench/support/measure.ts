import process from "node:process";

/** Something to time. If it returns a model, that is disposed of afterwards, which takes no part. */
export type Task = () => unknown;

/**
 * Times tasks side by side: in turn, round after round, so that a machine that slows down does so for
 * all of them.
 *
 * @returns the median time of each in milliseconds.
 */
export async function medianTimes<Name extends string>(
  tasks: Readonly<Record<Name, Task>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const times = Object.entries<number[]>(await timesOf(tasks, rounds));
  return Object.fromEntries(times.map(([name, of]) => [name, median(of)])) as Record<Name, number>;
}

/**
 * Times tasks as {@linkcode medianTimes}; returns all times of each.
 *
 * @param clock in milliseconds; default real time.
 */
export async function timesOf<Name extends string>(
  tasks: Readonly<Record<Name, Task>>,
  rounds: number,
  clock = () => performance.now(),
): Promise<Record<Name, number[]>> {
  const names = Object.keys(tasks) as Name[];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  // The first round, in which code is compiled, does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const start = clock();
      const result = await tasks[name]();
      if (round > 0) times.get(name)!.push(clock() - start);
      if (isModel(result)) await result[Symbol.asyncDispose]();
    }
  }
  return Object.fromEntries(times) as Record<Name, number[]>;
}

function isModel(result: unknown): result is AsyncDisposable {
  return typeof result === "object" && result !== null && Symbol.asyncDispose in result;
}

/** The processor time of this process in milliseconds, which does not depend on what else runs. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The middle value, or the mean of both middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
