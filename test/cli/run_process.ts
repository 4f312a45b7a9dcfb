import type { Result } from "./run.ts";

/** The seconds that a process may take on a loaded machine. */
const PATIENCE = 300;

/**
 * Runs a program to its end.
 *
 * @throws {Error} if it takes too long: with what it has said.
 */
export async function runProcess(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<Result> {
  const process = new Deno.Command(program, {
    ...options,
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.kill("SIGKILL");
  }, 1000 * PATIENCE);
  const output = await process.output();
  clearTimeout(timer);
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  ) as [string, string];
  if (isLate) {
    const command = [program, ...args].join(" ");
    throw new Error(`${command} did not end within ${PATIENCE} s; it said: ${stdout}${stderr}`);
  }
  return { code: output.code, stdout, stderr };
}
