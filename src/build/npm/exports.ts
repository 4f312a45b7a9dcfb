import config from "../../../deno.json" with { type: "json" };

/** The package's name and version. */
export const { name: NAME, version: VERSION } = config;

/** The sources of the exports, relative to the project's folder, by their names: `.`, `./train`. */
export const SOURCES: ReadonlyMap<string, string> = new Map(
  Object.entries(config.exports).map(([name, path]) => [name, path.replace(/^\.\//, "")]),
);

/** The name of an export's file without its extension: `mod` of `.`, `train` of `./train`. */
export function fileOf(exportName: string): string {
  return exportName === "." ? "mod" : exportName.slice(2);
}

/** The sources of workers, by their files. */
export const WORKERS: Readonly<Record<string, string>> = Object.fromEntries(
  [...SOURCES].filter(([name]) => name.endsWith("-worker"))
    .map(([name, source]) => [`${fileOf(name)}.js`, source]),
);
