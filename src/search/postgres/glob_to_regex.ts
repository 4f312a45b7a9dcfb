/**
 * Translates a pattern of paths, as SQLite's `glob` reads it, into a regular expression of Postgres: `*` is any
 * text, also with slashes, `?` a character, `[…]` one of some, `[^…]` another one. Nothing else is special.
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
  const characters = [...glob];
  let regex = "";
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === "*") {
      while (characters[i + 1] === "*") i++;
      regex += ".*";
    } else if (character === "?") {
      regex += ".";
    } else if (character === "[") {
      const set = readSet(characters, i + 1);
      if (!set) return NOTHING; // it does not end
      regex += set.regex;
      i = set.end;
    } else {
      regex += literal(character);
    }
  }
  return `^${regex}$`;
}

/** Matches no text. */
const NOTHING = "(?!)";

/** Reads what stands between brackets; `end` is the place of the last one. */
function readSet(
  characters: readonly string[],
  start: number,
): { regex: string; end: number } | undefined {
  let i = start;
  const isOther = characters[i] === "^";
  if (isOther) i++;
  const members: string[] = [];
  for (const first = i; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === "]" && i > first) {
      const any = isOther ? "." : NOTHING;
      const regex = members.length === 0 ? any : `[${isOther ? "^" : ""}${members.join("")}]`;
      return { regex, end: i };
    }
    const last = characters[i + 2];
    // A bracket that comes first begins no range.
    if (character === "]" || characters[i + 1] !== "-" || last === undefined || last === "]") {
      members.push(literal(character));
      continue;
    }
    // A range that runs backwards has one member, its first.
    const isRange = character.codePointAt(0)! <= last.codePointAt(0)!;
    members.push(isRange ? `${literal(character)}-${literal(last)}` : literal(character));
    i += 2;
  }
  return undefined;
}

/** A character that stands for itself, also between brackets. */
function literal(character: string): string {
  return /[\x20-\x7e]/.test(character) && /\W/.test(character) ? `\\${character}` : character;
}
