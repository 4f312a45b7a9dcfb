import { type GlobPart, parseGlob } from "../glob.ts";

/**
 * Translates a pattern of paths into a regular expression of Postgres that matches the same texts; see
 * {@linkcode parseGlob}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { globToRegex } from "./glob_to_regex.ts";
 *
 * assertEquals(globToRegex("a.b/*[0-9]?"), String.raw`^a\.b\/.*[0-9].$`);
 * ```
 */
export function globToRegex(glob: string): string {
  const parts = parseGlob(glob);
  return parts ? `^${parts.map(regexOf).join("")}$` : NOTHING;
}

/** Matches no text. */
const NOTHING = "(?!)";

function regexOf(part: GlobPart): string {
  if (part.kind === "rest") return ".*";
  if (part.kind === "any") return ".";
  if (part.kind === "character") return literal(part.code);
  const members = part.ranges.map(([first, last]) =>
    first === last ? literal(first) : `${literal(first)}-${literal(last)}`
  );
  return `[${part.isOther ? "^" : ""}${members.join("")}]`;
}

/** A character that stands for itself, also between brackets. */
function literal(code: number): string {
  const character = String.fromCodePoint(code);
  return /[\x20-\x7e]/.test(character) && /\W/.test(character) ? `\\${character}` : character;
}
