// The rules of the house: deno task check:rooms
//
// 1. Imports between the rooms of src/ go down only.
// 2. Only some rooms use `Deno.*`; all else runs in a browser as it is.
// 3. The page imports what anybody could import: exports of the package.
// 4. The rooms of the library name nothing that Node.js 20 lacks; builds lower syntax, not names. The type
//    check with `test/browser.json` finds more of these, but knows neither the host's names nor all rooms.

import { join, normalize, relative } from "@std/path";
import config from "../deno.json" with { type: "json" };

/** The rooms of src/, from the bottom to the top: each may import from itself and from those before it. */
export const ROOMS = [
  "host",
  "tensor",
  "onnx",
  "image",
  "preprocess",
  "checkpoint",
  "hub",
  "vit_msn",
  "runtime",
  "model/outputs",
  "heads",
  "model",
  "dataset",
  "train",
  "search",
  "http",
  "web",
  "build",
  "cli",
] as const;

/** Where `Deno.*` may be used: whole rooms, and what takes requests from sockets. */
const MAY_USE_DENO = /^src\/(dataset|build|cli|http\/request)\//;

/** Modules that stand above the rooms: the library's main export. */
const ABOVE = /^src\/\w+\.ts$/;

/** Rooms that never run in Node.js: those of the command line, and the page's. */
const NEVER_IN_NODE = /^src\/(dataset|web|build|cli)\//;

/** What the package exports. */
const EXPORTS = new Set(Object.values(config.exports).map((path) => normalize(path)));

/** The one module that asks for a name before it uses it. */
const ASKS_FIRST = "src/tensor/base64.ts";

/** What Node.js 20 lacks: names, and methods by how a call looks. */
const NOT_IN_NODE_20 = [
  /\bPromise\.(withResolvers|try)\b/,
  /\b(Map|Object)\.groupBy\b/,
  /\bArray\.fromAsync\b/,
  /\bUint8Array\.from(Base64|Hex)\b/,
  /\.(toBase64|toHex|setFromBase64|setFromHex)\(/,
  /\b(Float16Array|SuppressedError|DisposableStack|AsyncDisposableStack|new ErrorEvent|reportError)\b/,
  /\b(URL\.parse|Error\.isError|RegExp\.escape|Math\.(f16round|sumPrecise)|Iterator\.\w+)\b/,
  /\.(values|keys|entries)\(\)\s*\.(?!next\b)\w+/,
  /\.(isSubsetOf|isSupersetOf|isDisjointFrom|symmetricDifference)\(/,
  /(?<!\bv)\.(union|intersection|difference)\(/,
  /\.(getOrInsert|getOrInsertComputed|transfer|transferToFixedLength)\(/,
  /\.bytes\(\)/,
  /(?<![.\w"])navigator\b/,
];

/** A file of the project and what is in it. */
export interface SourceFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

/**
 * Finds what breaks the rules.
 *
 * @returns a line for each, that says where and what.
 */
export function brokenRules(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const code = withoutComments(text);
    return [
      ...upwardImports(path, code),
      ...privateImports(path, code),
      ...forbiddenDeno(path, code),
      ...newNames(path, code),
    ];
  });
}

function upwardImports(path: string, code: string): string[] {
  const own = rankOf(path);
  // The page's module of the library stands above its room, as it does for everybody.
  const mayGoUp = (target: string) => path.startsWith("src/web/") && EXPORTS.has(target);
  return importsOf(path, code)
    .filter((target) => target.startsWith("src/") && rankOf(target) > own && !mayGoUp(target))
    .map((target) => `${path} imports ${target}: imports go down only`);
}

function privateImports(path: string, code: string): string[] {
  if (!path.startsWith("src/web/")) return [];
  return importsOf(path, code)
    .filter((target) => !target.startsWith("src/web/") && !EXPORTS.has(target))
    .map((target) => `${path} imports ${target}: the page imports only what the package exports`);
}

/** The paths of the project's modules that a module imports. */
function importsOf(path: string, code: string): string[] {
  return [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)]
    .map(([, specifier]) => normalize(join(path, "..", specifier!)));
}

function forbiddenDeno(path: string, code: string): string[] {
  if (!path.startsWith("src/") || MAY_USE_DENO.test(path)) return [];
  const [use] = /\bDeno\.\w+/.exec(code) ?? [];
  return use ? [`${path} uses ${use}: this room runs in browsers, too`] : [];
}

function newNames(path: string, code: string): string[] {
  if (!path.startsWith("src/") || NEVER_IN_NODE.test(path) || path === ASKS_FIRST) return [];
  return NOT_IN_NODE_20.flatMap((name) => {
    const [use] = name.exec(code) ?? [];
    return use ? [`${path} uses ${use}: Node.js 20 lacks it`] : [];
  });
}

/** @throws {Error} for a room that {@linkcode ROOMS} does not have. */
function rankOf(path: string): number {
  if (ABOVE.test(path)) return ROOMS.length;
  const isIn = (room: string) => path.startsWith(`src/${room}/`);
  // A room in a room comes first in the list.
  const rank = ROOMS.findIndex(isIn);
  if (rank === -1) throw new Error(`Cannot place ${path}: its room is not in the list of rooms`);
  return rank;
}

/** Docstrings have examples, with imports of their own. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

/** Every module below a folder. */
export async function sourceFiles(folder: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) files.push(...await sourceFiles(path));
    else if (name.endsWith(".ts")) {
      files.push({ path: relative(".", path), text: await Deno.readTextFile(path) });
    }
  }
  return files;
}

if (import.meta.main) {
  const broken = brokenRules(await sourceFiles("src"));
  for (const line of broken) console.error(line);
  Deno.exit(broken.length > 0 ? 1 : 0);
}
