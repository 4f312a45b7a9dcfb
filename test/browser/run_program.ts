import { command } from "../hosts/support/command.ts";
import { bundle, TOOLS } from "../hosts/support/tools.ts";

/**
 * Builds the page and runs a program of `programs/` with it in Node.js, which playwright needs.
 *
 * @param name the program's, without its extension.
 * @param folder where the page goes, as `page`, and the program.
 * @param args what the program takes after the folders of the tools and of the page.
 * @returns what it printed as JSON.
 */
export async function runProgram(name: string, folder: string, args: readonly string[]) {
  const page = `${folder}/page`;
  await command("deno", ["task", "--quiet", "build", "--target", "web", "--out", page]);
  const script = `${folder}/${name}.mjs`;
  const program = new URL(`programs/${name}.ts`, import.meta.url).pathname;
  await bundle(program, ["--platform=node", "--packages=external", `--outfile=${script}`], folder);
  return JSON.parse(await command("node", [script, TOOLS, page, ...args]));
}
