import type { RouteGroup } from "../http/route_group.ts";

/** The module that lists the service's routes, relative to the project's folder. */
export const ROUTES_MODULE = "src/http/routes.ts";

/**
 * Leaves routes of other groups out of the module that lists all, so that a bundle has only what its function
 * answers.
 *
 * @param text of {@linkcode ROUTES_MODULE}.
 * @param groups of routes that the function has.
 * @param readModule gives the text of a module that this one imports, by its specifier.
 * @throws {Error} if no route has one of the groups.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { withRoutes } from "./bundled_routes.ts";
 *
 * const text = `import { embed } from "./routes/embed.ts";
 * import { infer } from "./routes/infer.ts";
 * const ROUTES = [
 *   embed,
 *   infer,
 * ];`;
 * const read = (path: string) => Promise.resolve(path.includes("embed") ? `  group: "embed",` : `  group: "x",`);
 * const expected = `import { embed } from "./routes/embed.ts";
 * const ROUTES = [
 *   embed,
 * ];`;
 * assertEquals(await withRoutes(text, ["embed"], read), expected);
 * ```
 */
export async function withRoutes(
  text: string,
  groups: readonly RouteGroup[],
  readModule: (specifier: string) => Promise<string>,
): Promise<string> {
  let found = 0;
  for (
    const [line, name, path] of text.matchAll(
      /^import \{ (\w+) \} from "(\.\/routes\/[^"]+)";\n/gm,
    )
  ) {
    const [, group] = /^ {2}group: "(\w+)",$/m.exec(await readModule(path!)) ?? [];
    if (group === undefined) continue; // of every function
    if ((groups as readonly string[]).includes(group)) found++;
    else text = text.replace(line, "").replace(new RegExp(`^ {2}${name},\n`, "m"), "");
  }
  if (found === 0) throw new Error(`Cannot bundle: no route belongs to the groups ${groups}`);
  return text;
}
