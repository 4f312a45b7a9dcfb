import { fromFileUrl, toFileUrl } from "@std/path";
import * as esbuild from "esbuild";
import importMap from "../../import_map.json" with { type: "json" };
import { withoutCustomSections } from "../../wasm/decoders/wasm_sections.ts";
import type { RouteGroup } from "../http/route_group.ts";
import type { DecodeMode } from "../image/decode_options.ts";
import { ROUTES_MODULE, withRoutes } from "./bundled_routes.ts";
import { BUILT_SETTINGS, type BuiltSettings, withBuiltSettings } from "./built_settings.ts";
import {
  addressWorkers,
  FROM_PRETRAINED,
  HOST_MODULES,
  MOZJPEG,
  PLAIN_KERNELS,
  resolveModule,
  ROOT,
  WASM_MODULE,
  withoutMetaUrl,
} from "./esbuild.ts";

/** Modules that run in workers, by the names of their files in a bundle. */
const WORKERS = {
  "decode_worker.js": "src/image/decode_worker.ts",
  "simd_worker.js": "src/runtime/simd/worker.ts",
} as const;

/**
 * Modules that an entry and a worker share, or that few requests need. With workers, each is a file.
 */
const SHARED = {
  "decode_image.js": "src/image/decode_image.ts",
  "open_onnx.js": "functions/_shared/open_onnx.ts",
} as const;

/** A file of a bundle. */
export interface BundledFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Options of {@linkcode bundle}. */
export interface BundleOptions extends BuiltSettings {
  /** The groups of routes that the function serves; the others are left out. */
  readonly routes: readonly RouteGroup[];
  /** Whether onnxruntime-web is included, for models of other tools. */
  readonly withOnnxruntime: boolean;
  /** Whether the host has workers. */
  readonly withWorkers: boolean;
  /** Whether the function may open its own listener with `Deno.listen`. */
  readonly withConnections: boolean;
  /** Packages that the bundle leaves to the host, which gets them from npm; default none. */
  readonly fromNpm?: readonly string[];
}

/**
 * Bundles an entry: one JavaScript file, and beside it the WebAssembly modules that it reads and the
 * workers that it starts. They need no npm cache.
 *
 * @param entry a module, relative to the project's folder.
 * @param name of the JavaScript file.
 * @throws {Error} if it cannot be bundled.
 */
export async function bundle(
  entry: string,
  name: string,
  { withConnections, fromNpm = [], ...options }: BundleOptions,
): Promise<BundledFile[]> {
  const { withOnnxruntime, withWorkers, decode } = options;
  await downloadPackages(withOnnxruntime, decode);
  const files = new Map<string, Uint8Array>();
  const pointed = new Set<string>();
  const entryPoints = [
    { in: fromFileUrl(new URL(entry, ROOT)), out: name.replace(/\.js$/, "") },
    ...(withWorkers
      ? Object.entries({ ...WORKERS, ...SHARED }).map(([out, path]) => ({
        in: fromFileUrl(new URL(path, ROOT)),
        out: out.replace(/\.js$/, ""),
      }))
      : []),
  ];
  const { outputFiles } = await esbuild.build({
    entryPoints,
    outdir: "/",
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"],
    target: "es2023",
    minify: true,
    charset: "utf8",
    define: {
      // Deno has neither: code for browsers is left out.
      window: "undefined",
      importScripts: "undefined",
      ...(withWorkers ? {} : { Worker: "undefined" }),
      ...(withConnections ? {} : { "Deno.listen": "undefined" }),
    },
    legalComments: "none",
    logLevel: "silent",
    plugins: [denoPlugin(files, pointed, { ...options, fromNpm })],
  });
  assertPointed(pointed, withWorkers);
  for (const { path, contents } of outputFiles) files.set(path.slice(1), contents);
  return [...files].map(([name, bytes]) => ({ name, bytes }));
}

/**
 * Downloads the packages of bundles that the cache lacks: Deno does so on import, not on
 * `import.meta.resolve`.
 */
export async function downloadPackages(
  withOnnxruntime: boolean,
  decode: DecodeMode,
): Promise<void> {
  await Promise.all([
    import("../http/handler.ts"),
    import("../model/load_model.ts"),
    import("../image/formats/jpeg.ts"),
    decode === "exact" && import("../image/formats/jpeg_exact.ts"),
    import("../image/formats/png.ts"),
    import("../image/formats/gif.ts"),
    import("../image/formats/webp.ts"),
    withOnnxruntime && import("onnxruntime-web/wasm"),
  ]);
}

const SHARED_NAMES = new Map(
  Object.entries(SHARED).map(([name, path]) => [new URL(path, ROOT).href, name]),
);

/** Imports of onnxruntime-web, and of the modules that only it needs. */
const ONNXRUNTIME = /^onnxruntime-web|^\.\/onnxruntime\//;

/** What Deno needs of {@linkcode HOST_MODULES}. */
const DENO_HOST = `
  export const IS_WORKERD = false;
  export const canStartWorkers = () => typeof Worker !== "undefined";
  export const canShareMemory = canStartWorkers;
  export const processors = () => navigator.hardwareConcurrency;
  export const workerScope = () => globalThis;
  export function nodeLookups() {}
  export function nodeWorker() {}
`;

/** The options that include what a bundle leaves out. */
const OPTIONS: Readonly<Record<string, string>> = {
  mozjpeg: "--decode exact",
  "onnxruntime-web": "--with-onnxruntime",
};

const BYTES = "bytes";
const MISSING = "missing";
const EMPTY = "empty";
const NODE = "node";
const DENO = "deno";

/** Resolves modules as Deno does, and writes files that are imported as bytes beside the bundle. */
function denoPlugin(
  files: Map<string, Uint8Array>,
  pointed: Set<string>,
  { routes, withOnnxruntime, withWorkers, model, decode, fromNpm = [] }: Omit<
    BundleOptions,
    "withConnections"
  >,
): esbuild.Plugin {
  return {
    name: "deno",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, importer, with: attributes, kind, namespace }) => {
        if (kind === "entry-point") return { path, namespace: "file" };
        if (!withOnnxruntime && ONNXRUNTIME.test(path)) {
          return { path: "onnxruntime-web", namespace: MISSING }; // one module for all of them
        }
        if (fromNpm.includes(path)) return { path: npmAddress(path), external: true };
        if (HOST_MODULES.test(path)) return { path: "host", namespace: DENO, sideEffects: false };
        if (path.endsWith(PLAIN_KERNELS)) return { path: PLAIN_KERNELS, namespace: EMPTY };
        if (decode !== "exact" && path === MOZJPEG) return { path: "mozjpeg", namespace: MISSING };
        if (path === FROM_PRETRAINED) return { path: "fromPretrained", namespace: MISSING };
        if (/^node:/.test(path)) {
          return kind === "dynamic-import" ? { path, external: true } : { path, namespace: NODE };
        }
        const url = resolveModule(path, namespace === "file" ? importer : undefined);
        const shared = withWorkers ? SHARED_NAMES.get(url.href) : undefined;
        if (shared) return { path: `./${shared}`, external: true };
        const isWasm = WASM_MODULE.test(path);
        return {
          path: fromFileUrl(url).replace(WASM_MODULE, ".wasm"),
          namespace: isWasm || attributes.type === "bytes" ? BYTES : "file",
          sideEffects: false, // unused modules are left out
        };
      });
      build.onLoad({ filter: /.*/, namespace: MISSING }, ({ path }) => {
        const option = OPTIONS[path];
        const hint = option ? `: build it with ${option}` : "";
        // As an ES module: esbuild puts more around others.
        return { contents: `export {}; throw new Error("${path} is not in this bundle${hint}");` };
      });
      build.onLoad({ filter: /.*/, namespace: DENO }, () => ({ contents: DENO_HOST }));
      build.onLoad({ filter: /.*/, namespace: EMPTY }, () => ({
        contents: "export default new Uint8Array();",
      }));
      // Loading one takes as long as the rest of a start, and a static import would come first.
      build.onLoad({ filter: /.*/, namespace: NODE }, async ({ path }) => {
        const names = Object.keys(await import(path)).filter((name) => name !== "default");
        return { contents: `export const { ${names} } = await import("${path}");` };
      });
      build.onLoad({ filter: /.*/, namespace: BYTES }, async ({ path }) => {
        const name = path.split("/").at(-1)!;
        const bytes = await Deno.readFile(path);
        files.set(name, name.endsWith(".wasm") ? withoutCustomSections(bytes) : bytes);
        // A worker must not wait at its start: it would miss the messages of that time.
        const read = withWorkers ? "Deno.readFileSync" : "await Deno.readFile";
        return { contents: `export default ${read}(new URL("./${name}", import.meta.url));` };
      });
      build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path }) => {
        const root = fromFileUrl(ROOT);
        const source = await Deno.readTextFile(path);
        const readModule = (specifier: string) =>
          Deno.readTextFile(new URL(specifier, toFileUrl(path)));
        const text = path === root + ROUTES_MODULE
          ? await withRoutes(source, routes, readModule)
          : source;
        return {
          contents: path.startsWith(root)
            ? besideTheBundle(text, path.slice(root.length), { model, decode }, pointed)
            : withoutMetaUrl(text, path),
          loader: path.endsWith(".ts") ? "ts" : "js",
        };
      });
    },
  };
}

/**
 * The address of a package of the import map, with its version.
 *
 * @throws {Error} if the import map has no such package.
 */
function npmAddress(name: string): string {
  const address = (importMap.imports as Readonly<Record<string, string>>)[name];
  if (address?.startsWith("npm:")) return address;
  throw new Error(`Cannot bundle ${name}: it is no npm package of the import map`);
}

/** How an entry addresses the shared folder. */
const SHARED_FOLDER = `import.meta.resolve("../_shared/")`;

/**
 * Rewrites the addresses of a module's own files to those in the bundle.
 *
 * @param pointed gets the names of the workers, the shared folder and the model, where they were found.
 */
function besideTheBundle(
  text: string,
  path: string,
  settings: BuiltSettings,
  pointed: Set<string>,
): string {
  const found = (name: string) => pointed.add(name);
  text = addressWorkers(text, path, WORKERS, found);
  if (text.includes(SHARED_FOLDER)) found(SHARED_FOLDER);
  text = text.replaceAll(SHARED_FOLDER, `import.meta.resolve("./")`);
  return withBuiltSettings(text, settings, found);
}

/** @throws {Error} if a required address was not found in any module. */
function assertPointed(pointed: ReadonlySet<string>, withWorkers: boolean): void {
  const needed = [...(withWorkers ? Object.keys(WORKERS) : []), SHARED_FOLDER, ...BUILT_SETTINGS];
  const missing = needed.find((name) => !pointed.has(name));
  if (missing) throw new Error(`Cannot bundle: no module addresses ${missing}`);
}
