import { type Command, type Options, runCommand } from "./command.ts";
import { processTerminal } from "./output/terminal.ts";

/**
 * Runs a command and exits the process with its exit code. Relative paths are resolved against the
 * folder where the user called `deno task`, not against the project's.
 */
export async function main<O extends Options>(command: Command<O>): Promise<never> {
  const run: typeof command.run = (...given) => {
    const folder = Deno.env.get("INIT_CWD");
    if (folder) Deno.chdir(folder);
    return command.run(...given);
  };
  Deno.exit(await runCommand({ ...command, run }, Deno.args, processTerminal(command.name)));
}
