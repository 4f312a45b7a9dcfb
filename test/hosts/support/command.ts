/** How {@linkcode command} runs a program. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to stdout.
 * @throws {Error} with all that it wrote, if it fails.
 */
export async function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (success) return text;
  const all = `${text}\n${new TextDecoder().decode(stderr)}`.trim();
  throw new Error(`Cannot run ${program} ${args.join(" ")}:\n${all}`);
}

/** Whether a program can be started. */
export async function hasProgram(program: string): Promise<boolean> {
  try {
    await command(program, ["--version"]);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
