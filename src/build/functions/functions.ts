import type { RouteGroup } from "../../http/route_group.ts";

/** A function of a host. */
interface BuiltFunction {
  /** Its module, relative to the project's folder. */
  readonly entry: string;
  /** The groups of routes that it serves; the others are left out of its bundle. */
  readonly routes: readonly RouteGroup[];
  /** Packages that it takes from npm. */
  readonly fromNpm?: readonly string[];
}

/** Each function for hosts that run Deno. */
export const FUNCTIONS: Readonly<Record<string, BuiltFunction>> = {
  classify: { entry: "functions/classify/index.ts", routes: ["classify"] },
  embed: { entry: "functions/embed/index.ts", routes: ["embed", "openai"] },
};

/**
 * The function for an index in Supabase's Postgres, by its name. Few calls need pg-boss, and both packages use modules
 * of Node.js: the host loads them when they are needed.
 */
export const INDEX_FUNCTION: Readonly<Record<string, BuiltFunction>> = {
  index: { entry: "functions/index/index.ts", routes: [], fromNpm: ["postgres", "pg-boss"] },
};
