import { fromFileUrl } from "@std/path";
import * as esbuild from "esbuild";
import { DISPOSE_OPTIONS, disposeSymbols } from "../dispose_symbols.ts";
import { addressWorkers, resolveModule, ROOT, WASM_MODULE, withoutMetaUrl } from "../esbuild.ts";
import { fileOf, SOURCES, WORKERS } from "./exports.ts";

/** The JavaScript of the package for a kind of hosts. */
export interface JavaScript {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The paths of the modules that are in it. */
  readonly inputs: readonly string[];
}

/** An optional peer, which users install if they need it. */
const PEER = /^onnxruntime-web\b/;

/**
 * Bundles the exports: a file each, and chunks that they share or load when they need them. All are in one
 * folder, so that the addresses of workers hold in every file.
 *
 * @param compiled whether WebAssembly is imported as modules that the host compiles: for Cloudflare's
 * workerd, which has no workers either. Else its bytes are in the JavaScript, for every other host.
 */
export async function bundleExports({ compiled }: { compiled: boolean }): Promise<JavaScript> {
  await downloadPackages();
  const root = fromFileUrl(ROOT);
  const modules = new Map<string, Uint8Array>();
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: [...SOURCES]
      .filter(([name]) => !(compiled && name.endsWith("-worker")))
      .map(([name, source]) => ({ in: root + source, out: fileOf(name) })),
    absWorkingDir: root,
    outdir: "/",
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"],
    chunkNames: "[name]-[hash]",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
    define: {
      ...DISPOSE_OPTIONS.define,
      ...(compiled ? { Worker: "undefined" } : {}),
    },
    inject: [...DISPOSE_OPTIONS.inject],
    plugins: [disposeSymbols, {
      name: "npm",
      setup(build) {
        build.onResolve({ filter: /.*/ }, ({ path, importer, kind, namespace }) => {
          if (kind === "entry-point") return { path, namespace: "file" };
          if (PEER.test(path) || namespace === "wasm") return { path, external: true };
          const url = resolveModule(path, namespace === "file" ? importer : undefined);
          const isModule = compiled && WASM_MODULE.test(url.pathname);
          return {
            path: isModule ? fromFileUrl(url).slice(root.length) : fromFileUrl(url),
            namespace: isModule ? "wasm" : "file",
            sideEffects: Object.values(WORKERS).some((worker) => url.pathname.endsWith(worker)),
          };
        });
        build.onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path }) => {
          const file = path.replace(/\.ts$/, "");
          const name = file.split("/").at(-1)!;
          modules.set(name, await Deno.readFile(root + file));
          return { contents: `export { default } from "./${name}";` };
        });
        build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path }) => {
          const text = await Deno.readTextFile(path);
          return {
            contents: path.startsWith(root)
              ? addressWorkers(text, path.slice(root.length), WORKERS)
              : withoutMetaUrl(text, path),
            loader: path.endsWith(".ts") ? "ts" : "js",
          };
        });
      },
    }],
  });
  const files = new Map([
    ...outputFiles.map(({ path, text }) => [path.slice(1), withoutCache(text)] as const),
    ...modules,
  ]);
  return {
    files,
    inputs: Object.keys(metafile.inputs).map((path) => path.replace(/^file:/, "")).map((path) =>
      path.startsWith("..") ? fromFileUrl(new URL(path, ROOT)) : path
    ),
  };
}

/** Downloads the packages that the cache lacks: Deno does so on import, not on `import.meta.resolve`. */
async function downloadPackages(): Promise<void> {
  await Promise.all([
    import("../../model/load_model.ts"),
    import("../../http/handler.ts"),
    import("../../train/msn/pretrain.ts"),
    import("../../train/msn/msn_config.ts"),
    import("../../image/formats/jpeg_exact.ts"),
    import("../../image/formats/webp.ts"),
  ]);
}

/** Where esbuild writes which module it is, a package's is in Deno's cache, somewhere on this machine. */
const CACHE = /^\/\/ \.\.\/.*\/npm\/[^/]+\//gm;

function withoutCache(text: string): Uint8Array {
  return new TextEncoder().encode(text.replaceAll(CACHE, "// npm:"));
}
