import { compileGlob } from "../glob.ts";
import type { Database } from "./sqlite.ts";

/**
 * Gives statements the function `matches_any(path, patterns)`: whether a path matches one of the patterns, which
 * are a JSON array. Unlike SQLite's `glob`, no pattern takes it long.
 */
export function addPathFunction(db: Database): void {
  let last: unknown;
  let tests: ((text: string) => boolean)[] = [];
  db.function("matches_any", { deterministic: true }, (path, patterns) => {
    if (patterns !== last) {
      tests = (JSON.parse(patterns as string) as string[]).map(compileGlob);
      last = patterns;
    }
    return tests.some((matches) => matches(path as string)) ? 1 : 0;
  });
}
