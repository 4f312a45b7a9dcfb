import type { RouteGroup } from "../../http/route_group.ts";

/** A function of a host. */
interface BuiltFunction {
  /** Its module, relative to the project's folder. */
  readonly entry: string;
  /** The groups of routes that it serves; the others are left out of its bundle. */
  readonly routes: readonly RouteGroup[];
}

/** Each function for hosts that run Deno. */
export const FUNCTIONS: Readonly<Record<string, BuiltFunction>> = {
  classify: { entry: "functions/classify/index.ts", routes: ["classify"] },
  embed: { entry: "functions/embed/index.ts", routes: ["embed", "openai"] },
};
