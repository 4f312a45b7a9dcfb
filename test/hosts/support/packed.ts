import { command } from "./command.ts";

/**
 * Builds the npm package and packs it, as it is published.
 *
 * @param folder where the tarball goes.
 * @returns the tarball's path.
 */
export async function packPackage(folder: string): Promise<string> {
  await command("deno", ["task", "--quiet", "build", "--target", "npm", "--out", `${folder}/npm`]);
  const name = await command("npm", ["pack", "--silent", "./npm"], { cwd: folder });
  return `${folder}/${name.trim()}`;
}

/** Makes an empty project and installs the tarball. Nothing is downloaded: the package needs no other one. */
export async function installPackage(tarball: string, folder: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true, "type": "module" }');
  await command("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], {
    cwd: folder,
  });
}
