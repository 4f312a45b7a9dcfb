import { fromFileUrl } from "@std/path";
import * as esbuild from "esbuild";
import { withoutCustomSections } from "../../../wasm/decoders/wasm_sections.ts";
import { DISPOSE_OPTIONS, disposeSymbols } from "../dispose_symbols.ts";
import { withoutBarrel } from "./without_barrel.ts";
import { MOZJPEG, resolveModule, ROOT, withoutMetaUrl } from "../esbuild.ts";

/** The page's entry, and its workers, by their files. */
const ENTRIES: Readonly<Record<string, string>> = {
  "page.js": "src/web/page.ts",
  "model_worker.js": "src/web/model_worker.ts",
  "simd_worker.js": "src/web/simd_worker.ts",
};

/** What starts in a worker, and is imported for its effects. */
const WORKER_MODULES = /\/src\/(web|runtime\/simd)\/worker\.ts$/;

/** The import of a decoder's WebAssembly. */
const DECODER = /\/wasm\/decoders\/(\w+\.wasm)\.ts$/;

const COMMON = {
  bundle: true,
  write: false,
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["browser", "import"],
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
} satisfies esbuild.BuildOptions;

/**
 * Bundles the page's scripts: the entry, its workers, and chunks that they share or load when they need
 * them, and the WebAssembly of the decoders, all in one folder.
 *
 * @throws {Error} if they cannot be bundled.
 */
export async function bundlePage(): Promise<Map<string, Uint8Array>> {
  await downloadPackages();
  const root = fromFileUrl(ROOT);
  const files = new Map<string, Uint8Array>();
  const { outputFiles } = await esbuild.build({
    ...COMMON,
    ...DISPOSE_OPTIONS,
    inject: [...DISPOSE_OPTIONS.inject],
    entryPoints: Object.entries(ENTRIES).map(([file, path]) => ({
      in: root + path,
      out: file.replace(/\.js$/, ""),
    })),
    outdir: "/",
    splitting: true,
    format: "esm",
    chunkNames: "[name]-[hash]",
    plugins: [disposeSymbols, modules(files)],
  });
  for (const { path, contents } of outputFiles) files.set(path.slice(1), contents);
  return files;
}

/**
 * Bundles the service worker, a script without imports, which all browsers take.
 *
 * @param constants what it finds under these names.
 */
export async function bundleServiceWorker(
  constants: Readonly<Record<string, unknown>>,
): Promise<Uint8Array> {
  const { outputFiles } = await esbuild.build({
    ...COMMON,
    define: Object.fromEntries(
      Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
    entryPoints: [{ in: `${fromFileUrl(ROOT)}src/web/service_worker.ts`, out: "service_worker" }],
    outdir: "/",
    format: "iife",
    plugins: [modules(new Map())],
  });
  return outputFiles[0]!.contents;
}

/**
 * Resolves modules as Deno does. The decoders' WebAssembly goes into files: as base64 in a script it would take
 * a third more.
 *
 * @param files gets these.
 */
function modules(files: Map<string, Uint8Array>): esbuild.Plugin {
  const root = fromFileUrl(ROOT);
  const main = Deno.readTextFile(`${root}src/mod.ts`);
  return {
    name: "web",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, importer, kind, namespace }) => {
        if (kind === "entry-point") return { path, namespace: "file" };
        if (DECODER.test(path)) return { path: DECODER.exec(path)![1]!, namespace: "wasm" };
        if (path === MOZJPEG) return { path, namespace: "missing" };
        const url = resolveModule(path, namespace === "file" ? importer : undefined);
        return {
          path: fromFileUrl(url),
          namespace: "file",
          sideEffects: WORKER_MODULES.test(url.pathname), // unused modules are left out
        };
      });
      build.onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path: name }) => {
        const bytes = await Deno.readFile(`${root}wasm/decoders/${name}`);
        files.set(name, withoutCustomSections(bytes));
        return {
          contents: `const response = await fetch(new URL("./${name}", import.meta.url));
            if (!response.ok) throw new Error("Cannot decode the image: ${name} cannot be loaded");
            export default new Uint8Array(await response.arrayBuffer());`,
        };
      });
      build.onLoad({ filter: /.*/, namespace: "missing" }, () => ({
        contents: 'export {}; throw new Error("Cannot decode exactly in this page");',
      }));
      build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path }) => {
        const text = await Deno.readTextFile(path);
        return {
          contents: path.startsWith(root)
            ? addressScripts(withoutBarrel(text, await main, `${root}src/`))
            : withoutMetaUrl(text, path),
          loader: path.endsWith(".ts") ? "ts" : "js",
        };
      });
    },
  };
}

/** Points the addresses of the page's workers and of its model at their files, which all lie in one folder. */
function addressScripts(text: string): string {
  return text.replaceAll(/"[./]*\/(\w+)\.ts", import\.meta\.url/g, '"./$1.js", import.meta.url');
}

/** Downloads the packages that the cache lacks: Deno does so on import, not on `import.meta.resolve`. */
async function downloadPackages(): Promise<void> {
  await Promise.all([
    import("lit-html"),
    import("../../model/load_model.ts"),
    import("../../image/formats/jpeg.ts"),
    import("../../image/formats/png.ts"),
    import("../../image/formats/gif.ts"),
    import("../../image/formats/webp.ts"),
  ]);
}
