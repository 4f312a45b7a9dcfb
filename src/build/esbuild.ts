import { toFileUrl } from "@std/path";
import * as esbuild from "esbuild";
import esbuildWasm from "esbuild/esbuild.wasm" with { type: "bytes" };

/** The project's folder. */
export const ROOT = new URL("../../", import.meta.url);

/** Starts esbuild; disposing of the result ends it. */
export async function startEsbuild(): Promise<AsyncDisposable> {
  await esbuild.initialize({
    wasmModule: await WebAssembly.compile(esbuildWasm),
    worker: false,
  });
  return { [Symbol.asyncDispose]: async () => await esbuild.stop() };
}

/**
 * Resolves a module's specifier as Deno does.
 *
 * @param importer the path of the module that imports it, if that is known.
 * @throws {Error} if it is neither a path nor a package of the import map.
 */
export function resolveModule(specifier: string, importer: string | undefined): URL {
  if (/^\.{0,2}\//.test(specifier) && importer) return new URL(specifier, toFileUrl(importer));
  // Packages import one another by names of the import map, too.
  try {
    return new URL(import.meta.resolve(specifier));
  } catch {
    throw new Error(`Cannot bundle ${specifier}: it is no package of the import map`);
  }
}

/** A module of TypeScript that has the bytes of the WebAssembly module beside it. */
export const WASM_MODULE = /\.wasm\.ts$/;

/**
 * Points the addresses of workers in a module at their files in the output.
 *
 * @param text the module.
 * @param path where it is, relative to the project's folder.
 * @param workers the sources of workers, relative to the project's folder, by their files in the output.
 * @param found is called with each of these files that the module addresses.
 */
export function addressWorkers(
  text: string,
  path: string,
  workers: Readonly<Record<string, string>>,
  found: (file: string) => void = () => {},
): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  for (const [file, source] of Object.entries(workers)) {
    if (source !== folder + source.split("/").at(-1)) continue;
    // Of `new Worker(new URL(…))` and of `nodeWorker(…)` for Node.js.
    const address = `"./${source.split("/").at(-1)}", import.meta.url`;
    if (!text.includes(address)) continue;
    found(file);
    text = text.replaceAll(address, `"./${file}", import.meta.url`);
  }
  return text;
}

/** Modules of `src/host/` that have parts for several hosts; a bundle has those of its own. */
export const HOST_MODULES =
  /\/(node_builtin|node_lookups|node_worker|worker_scope|processors|can_share_memory|workerd)\.ts$/;

/** The import of the module that downloads models: nothing that serves calls it, and it weighs 100 kB. */
export const FROM_PRETRAINED = "./pretrained/from_pretrained.ts";

/** The import of the module that needs mozjpeg. */
export const MOZJPEG = "./formats/jpeg_exact.ts";

/** Kernels for hosts without relaxed SIMD: every Deno that runs a bundle has it, and so has workerd. */
export const PLAIN_KERNELS = "/vit_msn_plain.wasm.ts";

/** Where jSquash assigns `import.meta.url`, which webpack and terser refuse; its modules do not need it. */
const ASSIGNS_META = 'if(import.meta.url===undefined){import.meta.url="https://localhost"}';
const READS_META = /new URL\("\w+\.wasm",import\.meta\.url\)\.href/;

/**
 * Removes what jSquash does with `import.meta.url` from a module of it.
 *
 * @throws {Error} if jSquash's code is no longer the one that was examined.
 */
export function withoutMetaUrl(text: string, path: string): string {
  if (!path.includes("/@jsquash/")) return text;
  const without = text.replace(ASSIGNS_META, "").replace(READS_META, '""');
  if (!text.includes(ASSIGNS_META) || without.includes("import.meta.url=")) {
    throw new Error(`Cannot bundle ${path}: it uses import.meta.url in another way than expected`);
  }
  return without;
}
