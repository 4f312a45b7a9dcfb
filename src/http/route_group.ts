/** Routes that belong together: a function of a host may have some of them only. */
export type RouteGroup = "classify" | "embed" | "openai" | "inference" | "attention" | "search";

/** Every {@linkcode RouteGroup}. */
export const ROUTE_GROUPS: readonly RouteGroup[] = [
  "classify",
  "embed",
  "openai",
  "inference",
  "attention",
  "search",
];
