import { fromFileUrl } from "@std/path";
import { command } from "./command.ts";

/** The folder that has the packages with which the package is tried, each in a version of its own lockfile. */
export const TOOLS: string = fromFileUrl(new URL("../tools", import.meta.url));

/**
 * Installs them, if they are not there already.
 *
 * @throws {Error} if npm cannot.
 */
export async function installTools(): Promise<void> {
  const lock = await Deno.readTextFile(`${TOOLS}/package-lock.json`);
  const copy = `${TOOLS}/node_modules/.installed-lock.json`;
  if (await Deno.readTextFile(copy).catch(() => "") === lock) return;
  await command("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: TOOLS });
  // The one install script that is needed: it puts Bun's program where npm looks for it.
  await command("node", ["node_modules/bun/install.js"], { cwd: TOOLS });
  await Deno.writeTextFile(copy, lock);
}

/** Runs a program of the tools in a folder. */
export async function tool(name: string, args: readonly string[], cwd: string): Promise<string> {
  return await command("npm", ["exec", "--offline", "--prefix", TOOLS, "--", name, ...args], {
    cwd,
  });
}

/** Runs a program of `../programs/`, made JavaScript before, in Node.js. */
export async function node(program: string, args: readonly string[], cwd: string): Promise<string> {
  await lower(program, cwd);
  return await command("node", [`${program}.mjs`, ...args], { cwd });
}

/** Makes a file of JavaScript of a program of `../programs/`, with the package imported from outside. */
export async function lower(program: string, folder: string): Promise<void> {
  await bundle(fromFileUrl(new URL(`../programs/${program}.ts`, import.meta.url)), [
    "--packages=external",
    `--outfile=${folder}/${program}.mjs`,
  ], folder);
}

/** Bundles with esbuild. */
export async function bundle(entry: string, args: readonly string[], cwd: string): Promise<void> {
  const usual = ["--bundle", "--format=esm", "--target=es2022", "--log-level=warning"];
  await tool("esbuild", [entry, ...usual, ...args], cwd);
}
