import { parseArgs } from "@std/cli/parse-args";

/** What a benchmark was given: every value of the options that take one, and the flags. */
export interface Arguments<Option extends string, Flag extends string> {
  readonly values: Readonly<Record<Option, readonly string[]>>;
  readonly flags: Readonly<Record<Flag, boolean>>;
}

/** Arguments that make no sense. */
export class ArgumentError extends Error {
  override name = "ArgumentError";
}

/** An input that cannot be used. */
export class InputError extends Error {
  override name = "InputError";
}

/**
 * Reads a benchmark's arguments. Options may be given several times, or several values with commas.
 *
 * @throws {ArgumentError} if one is not known, or lacks its value.
 */
export function readArguments<Option extends string, Flag extends string = never>(
  args: readonly string[],
  options: readonly Option[],
  flags: readonly Flag[] = [],
): Arguments<Option, Flag> {
  const names = [...options, ...flags].map((name) => `--${name}`).join(", ");
  for (const arg of args) {
    if (arg === "--") throw new ArgumentError(`there is no --, only ${names}`);
    const flag = flags.find((name) => arg.startsWith(`--${name}=`));
    if (flag) throw new ArgumentError(`--${flag} takes no value`);
  }
  const parsed: Record<string, unknown> = parseArgs([...args], {
    string: [...options],
    boolean: [...flags],
    collect: [...options],
    unknown: (arg: string) => {
      throw new ArgumentError(`there is no ${arg}, only ${names}`);
    },
  });
  const values = options.map((name) => [name, valuesOf(name, parsed[name] as string[])]);
  return {
    values: Object.fromEntries(values),
    flags: Object.fromEntries(flags.map((name) => [name, parsed[name]])),
  } as unknown as Arguments<Option, Flag>;
}

function valuesOf(name: string, given: readonly string[]): string[] {
  const values = given.flatMap((text) => text.split(",")).map((text) => text.trim());
  if (values.includes("")) throw new ArgumentError(`--${name} needs a value`);
  return values;
}

/**
 * Runs a benchmark as this process: wrong arguments are one line on stderr and exit code 2, an input that
 * cannot be used is one and exit code 1.
 */
export async function runBench(name: string, bench: () => Promise<void>): Promise<void> {
  try {
    await bench();
  } catch (error) {
    if (!(error instanceof ArgumentError || error instanceof InputError)) throw error;
    console.error(`${name}: ${error.message}`);
    Deno.exit(error instanceof ArgumentError ? 2 : 1);
  }
}
