import { ArgumentError, readArguments } from "./arguments.ts";

/**
 * Reads `--rounds`, the only option of a bench.
 *
 * @param otherwise the rounds without it.
 * @throws {ArgumentError} if it is not an integer of at least 1.
 */
export function roundsOf(args: readonly string[], otherwise: number): number {
  const { values } = readArguments(args, ["rounds"]);
  const text = values.rounds.at(-1) ?? String(otherwise);
  const rounds = Number(text);
  if (Number.isSafeInteger(rounds) && rounds > 0) return rounds;
  throw new ArgumentError(`--rounds is ${text}, not an integer of at least 1`);
}
