import { fromFileUrl, normalize } from "@std/path";
import ts from "typescript";
import { ROOT } from "../esbuild.ts";
import { SOURCES } from "./exports.ts";

/** A declaration may name types of packages only where users install these. */
const PEER = /^onnxruntime-web\//;

/** `Disposable` and `AsyncDisposable` are in no library that TypeScript loads by default. */
const LIBRARY = '/// <reference lib="esnext.disposable" />\n';

/** Types of WebGPU, which TypeScript's `dom` has since 6.0 only; without them, these are `any`. */
const GPU_TYPE = /\bGPU(?:Adapter|Device)\b/g;

/**
 * Makes the type declarations of all exports: a `.d.ts` for each module that they name, in the folders of
 * the sources.
 *
 * @returns the texts by their paths, such as `src/mod.d.ts`.
 * @throws {Error} if a module exports something whose type is not written down, or of a package that
 * users do not have.
 */
export async function declarations(): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const waiting = [...SOURCES.values()];
  for (let path; (path = waiting.pop()) !== undefined;) {
    const file = path.replace(/\.ts$/, ".d.ts");
    if (texts.has(file)) continue;
    const text = await declarationOf(path);
    const imports = importsOf(text);
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    waiting.push(...imports.filter(isRelative).map((name) => normalize(folder + name)));
    const foreign = imports.find((name) => !isRelative(name) && !PEER.test(name));
    if (foreign) throw new Error(`Cannot declare the types of ${path}: they need ${foreign}`);
    texts.set(file, withJsNames(text));
  }
  for (const [file, text] of texts) texts.set(file, withGpuTypes(text));
  for (const source of SOURCES.values()) {
    const file = source.replace(/\.ts$/, ".d.ts");
    texts.set(file, LIBRARY + texts.get(file)!);
  }
  return texts;
}

async function declarationOf(path: string): Promise<string> {
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(
    await Deno.readTextFile(fromFileUrl(new URL(path, ROOT))),
    {
      fileName: path,
      reportDiagnostics: true,
      compilerOptions: {
        target: ts.ScriptTarget.ESNext,
        module: ts.ModuleKind.ESNext,
        declaration: true,
        isolatedDeclarations: true,
      },
    },
  );
  const [first] = diagnostics;
  if (first) {
    const { line } = first.file!.getLineAndCharacterOfPosition(first.start!);
    const message = ts.flattenDiagnosticMessageText(first.messageText, " ");
    throw new Error(`Cannot declare the types of ${path}, line ${line + 1}: ${message}`);
  }
  return outputText.replaceAll(SYMBOL_PROPERTY, "");
}

/** TypeScript 6.0 declares a method named by a symbol twice: as the method, and before it as a property. */
const SYMBOL_PROPERTY = /^ *(?:static )?\[Symbol\.\w+\]: \(.*\) => .*;\n/gm;

/** The specifiers of imports, exports and import types, outside comments. */
const SPECIFIERS = /(?:\bfrom |\bimport\(|\bimport )"([^"]+)"/g;

function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[^]*?\*\//g, "");
  return [...code.matchAll(SPECIFIERS)].map(([, specifier]) => specifier!);
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith(".");
}

/** Declares the types of WebGPU that a module names: the host's, if it has them. */
function withGpuTypes(text: string): string {
  const names = new Set(text.match(GPU_TYPE));
  const aliases = [...names].map((name) =>
    `type ${name} = typeof globalThis extends { ${name}: { prototype: infer T } } ? T : any;\n`
  );
  return text + aliases.join("");
}

/** TypeScript finds the declarations of `./a.js` in `./a.d.ts`. */
function withJsNames(text: string): string {
  return text.replaceAll(
    SPECIFIERS,
    (all, specifier: string) => isRelative(specifier) ? all.replace(/\.ts"$/, '.js"') : all,
  );
}
