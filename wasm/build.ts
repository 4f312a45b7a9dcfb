/**
 * Compiles the kernels: deno task build:wasm
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import asc from "assemblyscript/asc";

/** The kernels' modules, by the names of their sources in `assembly/`. */
const MODULES = ["resample"] as const;

/** What the compiler is told, for every module. */
const OPTIONS = [
  "-O3",
  "--noAssert",
  "--runtime",
  "stub", // the kernels allocate nothing
  "--initialMemory",
  "1",
  "--enable",
  "simd",
];

/** The custom section that says which source a module was compiled from. */
const SOURCE_SECTION = "source";

/**
 * Compiles one module. Its custom section `source` has the source's SHA-256 in hexadecimal.
 *
 * @returns the same bytes from the same source and compiler.
 * @throws {Error} with the compiler's messages, if the source does not compile.
 */
async function compile(name: typeof MODULES[number]): Promise<Uint8Array> {
  const source = await Deno.readTextFile(new URL(`./assembly/${name}.ts`, import.meta.url));
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [`${name}.ts`, "--outFile", `${name}.wasm`, ...OPTIONS],
    {
      readFile: (file) => file === `${name}.ts` ? source : null,
      writeFile: (_, content) => {
        binary = content as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`Cannot compile ${name}: ${stderr}`, { cause: error });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source));
  return concat([binary, customSection(SOURCE_SECTION, new Uint8Array(digest).toHex())]);
}

/** Its id 0, its length, the name's length, the name, the content; all shorter than 128 bytes. */
function customSection(name: string, content: string): Uint8Array {
  const text = new TextEncoder().encode(name + content);
  return Uint8Array.of(0, 1 + text.length, name.length, ...text);
}

if (import.meta.main) {
  for (const name of MODULES) {
    await Deno.writeFile(new URL(`./${name}.wasm`, import.meta.url), await compile(name));
  }
}
