import { fromFileUrl } from "@std/path";
import * as esbuild from "esbuild";
import { withoutCustomSections } from "../../../wasm/decoders/wasm_sections.ts";
import { BUILT_SETTINGS, type BuiltSettings, withBuiltSettings } from "../built_settings.ts";
import { type BundledFile, downloadPackages } from "../bundle.ts";
import {
  FROM_PRETRAINED,
  HOST_MODULES,
  MOZJPEG,
  PLAIN_KERNELS,
  resolveModule,
  ROOT,
  WASM_MODULE,
  withoutMetaUrl,
} from "../esbuild.ts";

const ENTRY = "functions/worker/index.ts";

/** What workerd needs of {@linkcode HOST_MODULES}. */
const WORKERD_HOST = `
  export const IS_WORKERD = true;
  export const canStartWorkers = () => false;
  export const canShareMemory = canStartWorkers;
  export const processors = () => 1;
  export const workerScope = () => globalThis;
  export function nodeLookups() {}
  export function nodeWorker() {}
`;

/** Contents of modules by their names here. */
const CONTENTS: Readonly<Record<string, string>> = {
  host: WORKERD_HOST,
  kernels: "export default new Uint8Array();",
  mozjpeg: 'export {}; throw new Error("Cannot decode exactly: build with --decode exact");',
  fromPretrained: 'export {}; throw new Error("Cannot download a model in this Worker");',
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
          const name = nameOf(path, settings);
          if (name) return { path: name, namespace: "contents", sideEffects: false };
          const url = resolveModule(path, namespace === "file" ? importer : undefined);
          return {
            path: fromFileUrl(url),
            namespace: WASM_MODULE.test(url.pathname) ? "wasm" : "file",
            sideEffects: false, // unused modules are left out
          };
        });
        build.onLoad({ filter: /.*/, namespace: "contents" }, ({ path }) => ({
          contents: CONTENTS[path]!,
        }));
        build.onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path }) => {
          const file = path.replace(/\.ts$/, "");
          const name = file.split("/").at(-1)!;
          modules.set(name, withoutCustomSections(await Deno.readFile(file)));
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

/** Which of {@linkcode CONTENTS} an import gets, if any. */
function nameOf(path: string, { decode }: BuiltSettings): string | undefined {
  if (HOST_MODULES.test(path)) return "host";
  if (path.endsWith(PLAIN_KERNELS)) return "kernels";
  if (path === MOZJPEG && decode !== "exact") return "mozjpeg";
  return path === FROM_PRETRAINED ? "fromPretrained" : undefined;
}
