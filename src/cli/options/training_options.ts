import { processors } from "../../host/processors.ts";
import { numberOption, type Options, type OptionValues } from "../command.ts";
import { DECODE_OPTION } from "./decode_option.ts";
import { FORCE_OPTION } from "./overwrite.ts";

/** The options of every command that trains. */
export const TRAINING_OPTIONS = {
  seed: { value: "S", help: "The random seed, an integer of at least 0; default 0" },
  threads: { value: "N", help: "Threads that train; default is the number of cores, at most 8" },
  "time-limit": { value: "MIN", help: "End after so many minutes, with the result so far" },
  decode: DECODE_OPTION,
  "out-dtype": { value: "TYPE", help: "The data type of the file: f32 (default), f16, int8" },
  resume: { help: "Go on with an interrupted run of the same photos and options" },
  log: { value: "FILE", help: "Append the figures of an epoch as a JSON line" },
  html: { value: "FILE", help: "Write a report with curves" },
  force: FORCE_OPTION,
  json: { help: "Print the result as one line of JSON" },
} as const satisfies Options;

const MAX_DEFAULT_THREADS = 8;

/**
 * The options that both trainings take, parsed.
 *
 * @returns the time limit in seconds, if one is given.
 * @throws {UsageError} if a value is not valid.
 */
export function trainingOptions(
  values: OptionValues<Pick<typeof TRAINING_OPTIONS, "seed" | "threads" | "time-limit">>,
): { seed: number; threads: number; timeLimit?: number } {
  const minutes = givenNumber(values, "time-limit", 0, 1e7);
  return {
    seed: givenNumber(values, "seed", 0, 2 ** 31 - 1, true) ?? 0,
    threads: givenNumber(values, "threads", 1, 64, true) ??
      Math.min(MAX_DEFAULT_THREADS, processors()),
    ...(minutes === undefined ? {} : { timeLimit: 60 * minutes }),
  };
}

/**
 * An option's value as a number, or undefined if it is not given: training then chooses it.
 *
 * @throws {UsageError} if it is not a number from `min` to `max`.
 */
export function givenNumber<Name extends string>(
  values: { readonly [K in Name]: string | undefined },
  name: Name,
  min: number,
  max: number,
  integer = false,
): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  return numberOption(name, value, { otherwise: 0, min, max, integer });
}
