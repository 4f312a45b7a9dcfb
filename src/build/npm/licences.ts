import { fromFileUrl, toFileUrl } from "@std/path";
import { ROOT } from "../esbuild.ts";

/** Packages whose WebAssembly is in `wasm/decoders/`, each by a module of it. */
const DECODER_PACKAGES = [
  "imagescript/package.json",
  "@jsquash/webp/package.json",
  "@jsquash/jpeg/package.json",
];

/** A licence that is one of several, chosen here: imagescript is AGPL-3.0 or MIT. */
const CHOSEN: Readonly<Record<string, string>> = { imagescript: "LICENSE.MIT" };

/** The copyright of a package under the MIT licence that has no licence file, from its sources. */
const COPYRIGHTS: Readonly<Record<string, string>> = {
  "deno-std": "Copyright 2018-2026 the Deno authors",
};

const MIT = `MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following
conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions
of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED
TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL
THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
DEALINGS IN THE SOFTWARE.
`;

/** Names of licence files; jSquash has those of the codecs in its folder `codec`. */
const FILES = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "codec/LICENSE.codec.md"];

/**
 * Writes down the licences of the packages that are in a bundle.
 *
 * @param inputs the paths of the modules in it.
 * @throws {Error} if a package has no licence file.
 */
export async function thirdPartyLicences(inputs: readonly string[]): Promise<string> {
  const own = fromFileUrl(ROOT);
  const folders = new Map<string, string>();
  await import("../../../wasm/decoders/decoders.ts"); // downloads the packages that the cache lacks
  const paths = inputs.filter((path) => !path.startsWith(own) && path.startsWith("/"));
  const decoders = DECODER_PACKAGES.map((name) => fromFileUrl(import.meta.resolve(name)));
  for (const path of [...paths, ...decoders]) {
    const folder = await packageFolder(path);
    const { name, version } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
    folders.set(`${name} ${version}`, folder);
  }
  const parts = [
    "This package contains code of other packages, under these licences.\n",
  ];
  for (const [title, folder] of [...folders].sort(([a], [b]) => a < b ? -1 : 1)) {
    parts.push(`${"=".repeat(80)}\n${title}\n${"=".repeat(80)}\n`);
    parts.push(...await licenceTexts(title.split(" ")[0]!, folder));
  }
  return parts.join("\n");
}

async function packageFolder(path: string): Promise<string> {
  for (let url = new URL(".", toFileUrl(path)); url.pathname !== "/"; url = new URL("..", url)) {
    const folder = fromFileUrl(url);
    if (await isFile(`${folder}package.json`)) {
      const { name } = JSON.parse(await Deno.readTextFile(`${folder}package.json`));
      if (name) return folder;
    }
  }
  throw new Error(`Cannot tell the licence of ${path}: it is in no package`);
}

async function licenceTexts(name: string, folder: string): Promise<string[]> {
  const texts: string[] = [];
  for (const file of CHOSEN[name] ? [CHOSEN[name]] : FILES) {
    if (await isFile(`${folder}/${file}`)) texts.push(await Deno.readTextFile(`${folder}/${file}`));
  }
  const copyright = COPYRIGHTS[name];
  if (texts.length === 0 && copyright) return [`${copyright}\n\n${MIT}`];
  if (texts.length === 0) {
    throw new Error(`Cannot tell the licence of ${name}: ${folder} has no file`);
  }
  return texts;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
