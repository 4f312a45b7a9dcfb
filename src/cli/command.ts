import { parseArgs } from "@std/cli/parse-args";
import { commandLine } from "./output/command_line.ts";
import { nearest } from "./options/nearest.ts";
import { printable } from "./output/printable.ts";
import { DENO_TASK } from "./program.ts";
import type { Terminal } from "./output/terminal.ts";
import { VERSION } from "./version.ts";

/** An option of a command. One without `value` is a flag. */
export interface Option {
  /** What stands for the value in the help text, such as `FILE`. */
  readonly value?: string;
  readonly help: string;
  /** Whether the help text leaves it out: it is accepted, but changes nothing. */
  readonly isHidden?: boolean;
}

/** A command's options by their names, without the dashes. */
export type Options = Readonly<Record<string, Option>>;

/** What was given for each option: a string, or whether the flag was there. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { value: string } ? string | undefined : boolean;
};

/** A command of the command line. */
export interface Command<O extends Options = Options> {
  readonly name: string;
  /** The positional arguments, as the help text shows them. */
  readonly usage: string;
  readonly description: string;
  readonly options: O;
  /** Arguments that work, each with what they do. */
  readonly examples: readonly (readonly [args: string, what: string])[];
  /**
   * Does the work.
   *
   * @returns the exit code: 0 done, 1 something failed.
   * @throws {UsageError} if the arguments make no sense.
   */
  run(
    positional: readonly string[],
    options: OptionValues<O>,
    terminal: Terminal,
  ): Promise<number>;
}

/** Arguments that make no sense; the command ends with exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Runs a command as a program: parses its arguments, answers `--help` and `--version`, and turns every
 * error into one line on stderr.
 *
 * @returns the exit code: 0 done, 1 something failed, 2 wrong usage.
 */
export async function runCommand<O extends Options>(
  command: Command<O>,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { program = DENO_TASK } = terminal;
  try {
    const { help, version, positional, values } = parse(command.options, args);
    if (help || version) {
      terminal.stdout.write(help ? asCalled(helpText(command), terminal) : `${VERSION}\n`);
      return 0;
    }
    const invocation = `${program} ${commandLine([command.name, ...args])}`;
    return await command.run(positional, values, { ...terminal, invocation });
  } catch (error) {
    // The reader of our output, such as `head`, has had enough.
    if (error instanceof Deno.errors.BrokenPipe) return 1;
    const usage = error instanceof UsageError;
    const hint = usage ? `; see \`deno task ${command.name} --help\`` : "";
    const message = `${command.name}: ${errorMessage(error)}${hint}\n`;
    terminal.stderr.write(asCalled(message, terminal));
    return usage ? 2 : 1;
  }
}

/** A text that names commands, `deno task …`, with what the user typed to call this program. */
export function asCalled(text: string, { program = DENO_TASK }: Pick<Terminal, "program">): string {
  return program === DENO_TASK ? text : text.replaceAll(/\bdeno task (?=[a-z])/g, `${program} `);
}

/** Longer messages quote what somebody put into a file. */
const MAX_MESSAGE_LENGTH = 1000;

/** An error as one line for a person. */
export function errorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = printable(message.replaceAll(/\s*\n\s*/g, " ").trim());
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)} …` : line;
}

/**
 * Reads an option's value as a number.
 *
 * @throws {UsageError} if it is none, or not between `min` and `max`.
 */
export function numberOption(
  name: string,
  value: string | undefined,
  { otherwise, min, max = Infinity, integer = false }: {
    otherwise: number;
    min: number;
    max?: number;
    integer?: boolean;
  },
): number {
  if (value === undefined) return otherwise;
  const number = Number(value);
  const fits = number >= min && number <= max && (!integer || Number.isSafeInteger(number));
  if (fits && value.trim() !== "") return number;
  const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new UsageError(
    `--${name} is ${value}, not ${integer ? "an integer" : "a number"} ${range}`,
  );
}

/**
 * Reads an option's value as one of some words.
 *
 * @throws {UsageError} if it is none of them.
 */
export function choiceOption<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly [T, ...T[]],
): T {
  const choice = value === undefined ? choices[0] : choices.find((choice) => choice === value);
  if (choice) return choice;
  throw new UsageError(`--${name} is ${value}, not one of ${choices.join(", ")}`);
}

/**
 * Reads an option's value as a list of some words, with commas between them.
 *
 * @throws {UsageError} if one is none of them.
 */
export function outputsOption<T extends string>(
  value: string,
  choices: readonly [T, ...T[]],
): T[] {
  return value.split(",").map((name) => choiceOption("outputs", name, choices));
}

/**
 * Takes the value of an option that must be given.
 *
 * @throws {UsageError} if it was not.
 */
export function requiredOption(name: string, value: string | undefined): string {
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

/**
 * Takes the one positional argument of a command that takes just one.
 *
 * @throws {UsageError} if there are more, or none.
 */
export function onlyArgument(positional: readonly string[], what: string): string {
  const [argument, ...more] = positional;
  if (argument !== undefined && more.length === 0) return argument;
  throw new UsageError(`it takes one ${what}, but ${positional.length} are given`);
}

function parse<O extends Options>(
  options: O,
  args: readonly string[],
): { help: boolean; version: boolean; positional: string[]; values: OptionValues<O> } {
  const names = Object.keys(options);
  const strings = names.filter((name) => options[name]?.value !== undefined);
  const flags = [...names.filter((name) => options[name]?.value === undefined), "help", "version"];
  // What the parser would take as true, or stumble over.
  for (const arg of args.slice(0, args.includes("--") ? args.indexOf("--") : undefined)) {
    const [, flag] = /^--([^=]+)=/.exec(arg) ?? [];
    if (flag && flags.includes(flag)) throw new UsageError(`--${flag} takes no value`);
    if (arg === "") throw new UsageError("an argument is empty");
    if (/^--_(=|$)/.test(arg)) unknownOption(arg, names);
  }
  const parsed: Record<string, unknown> & { _: string[] } = parseArgs([...args], {
    string: [...strings, "_"], // a file may be named 007
    boolean: flags,
    alias: { help: "h" },
    collect: strings,
    unknown: (arg: string, key?: string) =>
      key === undefined || unknownOption(arg, [...names, "help", "version"]),
  });
  const values = Object.fromEntries(names.map((name) => [
    name,
    strings.includes(name) ? onlyValue(name, parsed[name] as string[]) : parsed[name],
  ]));
  return {
    help: parsed.help === true,
    version: parsed.version === true,
    positional: parsed._,
    values: values as OptionValues<O>,
  };
}

function onlyValue(name: string, values: readonly string[]): string | undefined {
  if (values.length > 1) throw new UsageError(`--${name} is given ${values.length} times`);
  if (values[0] === "") throw new UsageError(`--${name} needs a value`);
  return values[0];
}

function unknownOption(arg: string, names: readonly string[]): never {
  if (/^-\d/.test(arg)) {
    throw new UsageError(`unknown option ${arg}; a negative value is written --option=${arg}`);
  }
  const option = arg.replace(/=.*$/s, "");
  const near = nearest(option.replace(/^-+/, ""), names);
  throw new UsageError(`unknown option ${option}${near ? `; did you mean --${near}?` : ""}`);
}

function helpText({ name, usage, description, options, examples }: Command): string {
  const common = {
    help: { help: "Show this text" },
    version: { help: "Show the version" },
  };
  const rows = Object.entries({ ...options, ...common })
    .filter(([, { isHidden }]: [string, Option]) => !isHidden)
    .map(([option, { value, help }]: [string, Option]) =>
      [`--${option}${value ? ` ${value}` : ""}`, help] as const
    );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    description,
    "",
    `Usage: ${["deno task", name, usage, "[options]"].filter(Boolean).join(" ")}`,
    "",
    "Options:",
    ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
    "",
    "Examples:",
    ...examples.flatMap(([args, what]) => [`  # ${what}`, `  deno task ${name} ${args}`.trimEnd()]),
    "",
  ].join("\n");
}
