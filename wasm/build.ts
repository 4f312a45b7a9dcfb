/**
 * Compiles the kernels, makes the decoders, and writes the layouts that TypeScript shares with the kernels:
 * deno task build:wasm
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import asc from "assemblyscript/asc";
import { buildDecoder, DECODERS } from "./decoders/decoders.ts";
import { moduleText } from "./module_text.ts";
import { type Program, writeStructs } from "./structs.ts";

/** An entry file and its compiler options. */
interface ModuleOptions {
  /** The file in `assembly/`. */
  readonly entry: string;
  readonly options: readonly string[];
}

/**
 * For the kernels of ViT-MSN. At level 2 and above, the compiler moves loads and products into the
 * expressions that use them; V8 then spills the sums of a tile to memory, which takes half as long again.
 */
const KERNEL_OPTIONS = [
  "--optimizeLevel",
  "1",
  "--importMemory",
  "--sharedMemory",
  "--maximumMemory",
  "65536", // pages of 64 KiB; the host sets the actual size
  "--enable",
  "threads",
];

/** The modules by their names: `resample` is `resample.wasm`. */
export const MODULES = {
  "matmul": { entry: "matmul.ts", options: ["-O3", "--initialMemory", "1"] },
  "resample": { entry: "resample.ts", options: ["-O3", "--initialMemory", "1"] },
  "search": { entry: "search.ts", options: ["--optimizeLevel", "1", "--initialMemory", "1"] },
  "vit_msn_relaxed": {
    entry: "vit_msn.ts",
    options: [...KERNEL_OPTIONS, "--enable", "relaxed-simd"],
  },
  "vit_msn_plain": { entry: "vit_msn.ts", options: KERNEL_OPTIONS },
  "train_relaxed": { entry: "train.ts", options: [...KERNEL_OPTIONS, "--enable", "relaxed-simd"] },
  "train_plain": { entry: "train.ts", options: KERNEL_OPTIONS },
} as const satisfies Readonly<Record<string, ModuleOptions>>;

/** Compiler options of every module. */
const OPTIONS = [
  "--noAssert",
  "--runtime",
  "stub", // the kernels allocate nothing
  "--enable",
  "simd",
];

/** The custom section that says which sources a module was compiled from. */
const SOURCE_SECTION = "source";

/** Where the texts of {@linkcode compileStructs} belong, below the repository's root. */
export const STRUCTS_FILES = {
  vit_msn_plain: "src/runtime/simd/structs.ts",
  train_plain: "src/train/engine/structs.ts",
} as const satisfies Partial<Record<keyof typeof MODULES, string>>;

/**
 * Compiles one module. Its custom section `source` has the SHA-256 of its sources in hexadecimal: of
 * all files that it was made of, one after the other in the order of their names.
 *
 * @returns the same bytes from the same sources and compiler.
 * @throws {Error} with the compiler's messages, if the sources do not compile.
 */
export async function compile(name: keyof typeof MODULES): Promise<Uint8Array> {
  const { entry, options } = MODULES[name];
  const { binary, sources } = await runCompiler(entry, options, readSource);
  const text = [...sources.keys()].sort().map((file) => sources.get(file)).join("");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return concat([binary, customSection(SOURCE_SECTION, new Uint8Array(digest).toHex())]);
}

/**
 * The text of one of {@linkcode STRUCTS_FILES}: the layouts of a module's classes, which do not differ between
 * its builds.
 *
 * @param read gives the sources; default those in `assembly/`.
 * @throws {Error} with the compiler's messages, if the sources do not compile.
 * @throws {TypeError} if a field is of a type that the host cannot write.
 */
export async function compileStructs(
  name: keyof typeof STRUCTS_FILES,
  read = readSource,
): Promise<string> {
  const { entry, options } = MODULES[name];
  return writeStructs((await runCompiler(entry, options, read)).program);
}

/** @returns the binary, the sources that were read and the compiled program. */
async function runCompiler(entry: string, options: readonly string[], read: typeof readSource) {
  const sources = new Map<string, string>();
  let binary: Uint8Array | undefined;
  let program: Program | undefined;
  const { error, stderr } = await asc.main(
    [entry, "--outFile", "module.wasm", ...OPTIONS, ...options],
    {
      readFile: async (file) => {
        const source = await read(file);
        if (source !== undefined) sources.set(file, source);
        return source ?? null;
      },
      writeFile: (_, content) => {
        binary = content as Uint8Array;
      },
      listFiles: () => [],
      transforms: [
        class {
          afterInitialize(initialized: unknown) {
            program = initialized as Program;
          }
        } as never,
      ],
    },
  );
  if (error || !binary || !program) {
    throw new Error(`Cannot compile ${entry}: ${stderr}`, { cause: error });
  }
  return { binary, sources, program };
}

/** A file in `assembly/`; the compiler also tries names under which there is none. */
async function readSource(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(new URL(`./assembly/${file}`, import.meta.url));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Its id 0, its length, the name's length, the name, the content; all shorter than 128 bytes. */
function customSection(name: string, content: string): Uint8Array {
  const text = new TextEncoder().encode(name + content);
  return Uint8Array.of(0, 1 + text.length, name.length, ...text);
}

/** The repository's folder. */
const ROOT = new URL("../", import.meta.url);

/** Writes a module, and beside it the module of TypeScript that has its bytes. */
async function writeModule(path: string, wasm: Uint8Array): Promise<void> {
  await Deno.writeFile(new URL(path, ROOT), wasm);
  await Deno.writeTextFile(new URL(`${path}.ts`, ROOT), moduleText(path, wasm));
}

if (import.meta.main) {
  for (const name of Object.keys(MODULES) as (keyof typeof MODULES)[]) {
    await writeModule(`wasm/${name}.wasm`, await compile(name));
  }
  for (const name of Object.keys(DECODERS) as (keyof typeof DECODERS)[]) {
    await writeModule(`wasm/decoders/${name}.wasm`, await buildDecoder(name));
  }
  for (const name of Object.keys(STRUCTS_FILES) as (keyof typeof STRUCTS_FILES)[]) {
    await Deno.writeTextFile(new URL(STRUCTS_FILES[name], ROOT), await compileStructs(name));
  }
}
