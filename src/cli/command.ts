import { parseArgs } from "@std/cli/parse-args";
import { commandLine } from "./output/command_line.ts";
import { nearest } from "./options/nearest.ts";
import { printable } from "./output/printable.ts";
import { DENO_TASK } from "./program.ts";
import type { Terminal } from "./output/terminal.ts";
import { VERSION } from "./version.ts";

/** An option of a command. One without `value` is a flag. */
export interface Option {
  /** The value's placeholder in the help text, such as `FILE`. */
  readonly value?: string;
  /** Lets an option with a value be given several times; its values are a list. */
  readonly multiple?: true;
  readonly help: string;
  /** Omits the option from the help text, because it is accepted but has no effect. */
  readonly isHidden?: boolean;
}

/** A command's options by name, without the dashes. */
export type Options = Readonly<Record<string, Option>>;

/** The value of an option: see {@linkcode OptionValues}. */
type OptionValue<O extends Option> = O extends { value: string; multiple: true } ? readonly string[]
  : O extends { value: string } ? string | undefined
  : boolean;

/**
 * The parsed options: a string or undefined for each value option, a list for each one that may be given several
 * times, a boolean for each flag.
 */
export type OptionValues<O extends Options> = { readonly [K in keyof O]: OptionValue<O[K]> };

/** A command of the command line. */
export interface Command<O extends Options = Options> {
  readonly name: string;
  /** The positional arguments, as the help text shows them. */
  readonly usage: string;
  readonly description: string;
  readonly options: O;
  /** Working example arguments, each with a description. */
  readonly examples: readonly (readonly [args: string, what: string])[];
  /**
   * Runs the command.
   *
   * @returns the exit code: 0 success, 1 failure.
   * @throws {UsageError} if the arguments are invalid.
   */
  run(
    positional: readonly string[],
    options: OptionValues<O>,
    terminal: Terminal,
  ): Promise<number>;
}

/** Invalid arguments; the command exits with code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Runs a command as a program: parses its arguments, answers `--help` and `--version`, and prints every
 * error as one line on stderr.
 *
 * @returns the exit code: 0 success, 1 failure, 2 invalid usage.
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
    // The reader of stdout, such as `head`, has closed the pipe: there is nothing to report.
    if (error instanceof Deno.errors.BrokenPipe) return 1;
    const usage = error instanceof UsageError;
    const hint = usage ? `; see \`deno task ${command.name} --help\`` : "";
    const message = `${command.name}: ${errorMessage(error)}${hint}\n`;
    terminal.stderr.write(asCalled(message, terminal));
    return usage ? 2 : 1;
  }
}

/** Replaces `deno task` in a text by the program name that the user typed. */
export function asCalled(text: string, { program = DENO_TASK }: Pick<Terminal, "program">): string {
  return program === DENO_TASK ? text : text.replaceAll(/\bdeno task (?=[a-z])/g, `${program} `);
}

/** Longer messages come from text quoted out of an untrusted file. */
const MAX_MESSAGE_LENGTH = 1000;

/** Formats an error as one printable line. */
export function errorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = printable(message.replaceAll(/\s*\n\s*/g, " ").trim());
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)} …` : line;
}

/**
 * Parses an option's value as a number.
 *
 * @throws {UsageError} if it is not a number from `min` to `max`.
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
 * Checks that an option's value is one of `choices`; the first choice is the default.
 *
 * @throws {UsageError} if it is not.
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
 * Parses the value of `--outputs`, a comma-separated list of `choices`.
 *
 * @throws {UsageError} if an item is not one of them.
 */
export function outputsOption<T extends string>(
  value: string,
  choices: readonly [T, ...T[]],
): T[] {
  return value.split(",").map((name) => choiceOption("outputs", name, choices));
}

/**
 * Returns the value of a required option.
 *
 * @throws {UsageError} if it is missing.
 */
export function requiredOption(name: string, value: string | undefined): string {
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

/**
 * Returns the only positional argument.
 *
 * @throws {UsageError} if there is not exactly one.
 */
export function onlyArgument(positional: readonly string[], what: string): string {
  const [argument, ...more] = positional;
  if (argument !== undefined && more.length === 0) return argument;
  throw new UsageError(`expected one ${what}, got ${positional.length}`);
}

function parse<O extends Options>(
  options: O,
  args: readonly string[],
): { help: boolean; version: boolean; positional: string[]; values: OptionValues<O> } {
  const names = Object.keys(options);
  const strings = names.filter((name) => options[name]?.value !== undefined);
  const flags = [...names.filter((name) => options[name]?.value === undefined), "help", "version"];
  // parseArgs reads `--flag=text` as true and mishandles empty arguments and its own key `_`.
  for (const arg of args.slice(0, args.includes("--") ? args.indexOf("--") : undefined)) {
    const [, flag] = /^--([^=]+)=/.exec(arg) ?? [];
    if (flag && flags.includes(flag)) throw new UsageError(`--${flag} takes no value`);
    if (arg === "") throw new UsageError("an argument is empty");
    if (/^--_(=|$)/.test(arg)) unknownOption(arg, names);
  }
  const parsed: Record<string, unknown> & { _: string[] } = parseArgs([...args], {
    string: [...strings, "_"], // keeps a file name such as 007 a string
    boolean: flags,
    alias: { help: "h" },
    collect: strings,
    unknown: (arg: string, key?: string) =>
      key === undefined || unknownOption(arg, [...names, "help", "version"]),
  });
  const values = Object.fromEntries(names.map((name) => [
    name,
    strings.includes(name)
      ? valuesOf(name, options[name]!, parsed[name] as string[])
      : parsed[name],
  ]));
  return {
    help: parsed.help === true,
    version: parsed.version === true,
    positional: parsed._,
    values: values as OptionValues<O>,
  };
}

/** The value of an option, or its list of values. */
function valuesOf(
  name: string,
  { multiple }: Option,
  values: readonly string[],
): string | undefined | readonly string[] {
  if (values.includes("")) throw new UsageError(`--${name} requires a value`);
  if (multiple) return values;
  if (values.length > 1) throw new UsageError(`--${name} is given ${values.length} times`);
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
