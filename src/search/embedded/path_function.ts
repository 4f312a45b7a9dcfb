import { type GlobPart, matchesGlob, parseGlob } from "../glob.ts";
import type { Database } from "./sqlite.ts";

/**
 * Gives statements the function `matches_any(path, patterns)`: whether a path matches one of the patterns, which
 * are a JSON array. Unlike SQLite's `glob`, no pattern takes it long.
 */
export function addPathFunction(db: Database): void {
  let last: unknown;
  let globs: GlobPart[][] = [];
  db.function("matches_any", { deterministic: true }, (path, patterns) => {
    if (patterns !== last) {
      globs = (JSON.parse(patterns as string) as string[]).map(parseGlob)
        .filter((glob) => glob !== undefined);
      last = patterns;
    }
    return globs.some((glob) => matchesGlob(glob, path as string)) ? 1 : 0;
  });
}
