/** A list of exports in the library's main module. */
const EXPORTS = /export (?:type )?\{([^}]*)\} from "\.\/([^"]+)";/g;

/** An import from it, of a module of the page. */
const IMPORTS = /import \{([^}]*)\} from "(?:\.\.?\/)+mod\.ts";/g;

/**
 * Makes imports from the library's main module imports from the modules that it exports: esbuild puts all that
 * a module imports into the same chunk, whoever needs it, and the first label would wait for all.
 *
 * @param text a module that imports.
 * @param main the text of `src/mod.ts`.
 * @param folder the path of `src/`, with a slash at the end.
 * @throws {Error} if the main module does not export a name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { withoutBarrel } from "./without_barrel.ts";
 *
 * const main = 'export { a, type B } from "./room/a.ts";';
 * const text = 'import { a, type B } from "../mod.ts";';
 * assertEquals(withoutBarrel(text, main, "/src/"), 'import { a } from "/src/room/a.ts";');
 * ```
 */
export function withoutBarrel(text: string, main: string, folder: string): string {
  const modules = new Map<string, string>();
  for (const [, names, path] of main.matchAll(EXPORTS)) {
    for (const name of valuesOf(names!)) modules.set(name, path!);
  }
  return text.replaceAll(IMPORTS, (_, names: string) => {
    return valuesOf(names).map((name) => {
      const path = modules.get(name);
      if (path === undefined) throw new Error(`Cannot bundle: src/mod.ts does not export ${name}`);
      return `import { ${name} } from "${folder}${path}";`;
    }).join(" ");
  });
}

/** The names of values in a list of names and types. */
function valuesOf(names: string): string[] {
  return names.split(",").map((name) => name.trim()).filter((name) => /^\w+$/.test(name));
}
