import { fromFileUrl } from "@std/path";
import * as esbuild from "esbuild";
import { BUILT_SETTINGS, type BuiltSettings, withBuiltSettings } from "../built_settings.ts";
import { type BundledFile, downloadPackages } from "../bundle.ts";
import { resolveModule, ROOT, WASM_MODULE, withoutMetaUrl } from "../esbuild.ts";

const ENTRY = "functions/worker/index.ts";

/** The module that needs mozjpeg. */
const MOZJPEG = "./formats/jpeg_exact.ts";

/** Modules that hold a fact of the host. */
const FACTS: Readonly<Record<string, string>> = {
  "/host/workerd.ts": "export const IS_WORKERD = true;",
  // workerd has relaxed SIMD.
  "/vit_msn_plain.wasm.ts": "export default new Uint8Array();",
};

/**
 * Bundles the Worker: `index.js`, chunks that it loads when it needs them, and the WebAssembly modules, which
 * the host compiles. It uses nothing of Deno or Node.js.
 *
 * @throws {Error} if it cannot be bundled.
 */
export async function bundleWorker(settings: BuiltSettings): Promise<BundledFile[]> {
  await downloadPackages(false, settings.decode);
  const root = fromFileUrl(ROOT);
  const modules = new Map<string, Uint8Array>();
  const found = new Set<string>();
  const { outputFiles } = await esbuild.build({
    entryPoints: [{ in: root + ENTRY, out: "index" }],
    outdir: "/",
    bundle: true,
    splitting: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"],
    chunkNames: "[name]-[hash]",
    target: "es2022",
    minify: true,
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
    define: { Worker: "undefined", Deno: "undefined" },
    plugins: [{
      name: "workers",
      setup(build) {
        build.onResolve({ filter: /.*/ }, ({ path, importer, kind, namespace }) => {
          if (kind === "entry-point") return { path, namespace: "file" };
          if (namespace === "wasm") return { path, external: true };
          if (path === MOZJPEG && settings.decode !== "exact") {
            return { path: "mozjpeg", namespace: "missing" };
          }
          const url = resolveModule(path, namespace === "file" ? importer : undefined);
          const fact = Object.keys(FACTS).find((name) => url.pathname.endsWith(name));
          if (fact) return { path: fact, namespace: "fact" };
          return {
            path: fromFileUrl(url),
            namespace: WASM_MODULE.test(url.pathname) ? "wasm" : "file",
            sideEffects: false, // unused modules are left out
          };
        });
        build.onLoad({ filter: /.*/, namespace: "missing" }, () => ({
          contents: `throw new Error("Cannot decode exactly: build with --decode exact");`,
        }));
        build.onLoad({ filter: /.*/, namespace: "fact" }, ({ path }) => ({
          contents: FACTS[path]!,
        }));
        build.onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path }) => {
          const file = path.replace(/\.ts$/, "");
          const name = file.split("/").at(-1)!;
          modules.set(name, await Deno.readFile(file));
          return { contents: `export { default } from "./${name}";` };
        });
        build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path }) => {
          const text = await Deno.readTextFile(path);
          return {
            contents: path.startsWith(root)
              ? withBuiltSettings(text, settings, (setting) => found.add(setting))
              : withoutMetaUrl(text, path),
            loader: path.endsWith(".ts") ? "ts" : "js",
          };
        });
      },
    }],
  });
  const missing = BUILT_SETTINGS.find((setting) => !found.has(setting));
  if (missing) throw new Error(`Cannot bundle: no module has ${missing}`);
  return [
    ...outputFiles.map(({ path, contents }) => ({ name: path.slice(1), bytes: contents })),
    ...[...modules].map(([name, bytes]) => ({ name, bytes })),
  ];
}
