import config from "../../deno.json" with { type: "json" };

/** The product's name and version, as `deno.json` states them: `@vit-msn/edge 1.2.3`. */
export const VERSION = `${config.name} ${config.version}`;
