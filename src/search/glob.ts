/** A part of a pattern: a code point, or what stands for several. */
export type GlobPart =
  | { readonly kind: "character"; readonly code: number }
  /** Any character. */
  | { readonly kind: "any" }
  /** A character in one of the ranges, both ends included, or in none of them. */
  | { readonly kind: "set"; readonly isOther: boolean; readonly ranges: readonly CodeRange[] }
  /** Any text. */
  | { readonly kind: "rest" };

type CodeRange = readonly [first: number, last: number];

/**
 * Reads a pattern of paths as SQLite's `glob` does: `*` is any text, also with slashes, `?` a character, `[…]` one
 * of some, `[^…]` another one. Nothing else is special.
 *
 * @returns undefined if brackets do not end; then no text matches.
 */
export function parseGlob(glob: string): GlobPart[] | undefined {
  const codes = Array.from(glob, (character) => character.codePointAt(0)!);
  const parts: GlobPart[] = [];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === REST) {
      if (parts.at(-1)?.kind !== "rest") parts.push({ kind: "rest" });
    } else if (code === ANY) {
      parts.push({ kind: "any" });
    } else if (code === OPEN) {
      const set = readSet(codes, i + 1);
      if (!set) return undefined;
      parts.push({ kind: "set", isOther: set.isOther, ranges: set.ranges });
      i = set.end;
    } else {
      parts.push({ kind: "character", code });
    }
  }
  return parts;
}

const [REST, ANY, OPEN, CLOSE, OTHER, TO] = [..."*?[]^-"].map((c) => c.codePointAt(0)!);

/** Reads what stands between brackets; `end` is the place of the last one. */
function readSet(
  codes: readonly number[],
  start: number,
): { isOther: boolean; ranges: CodeRange[]; end: number } | undefined {
  let i = start;
  const isOther = codes[i] === OTHER;
  if (isOther) i++;
  const ranges: CodeRange[] = [];
  for (const first = i; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === CLOSE && i > first) return { isOther, ranges, end: i };
    const last = codes[i + 2];
    // A bracket that comes first begins no range.
    if (code === CLOSE || codes[i + 1] !== TO || last === undefined || last === CLOSE) {
      ranges.push([code, code]);
      continue;
    }
    // A range that runs backwards has one member, its first.
    ranges.push([code, Math.max(code, last)]);
    if (last < code) ranges[ranges.length - 1] = [code, code];
    i += 2;
  }
  return undefined;
}

/**
 * Whether a whole text matches a pattern. The time is proportional to the lengths of both at worst, whoever wrote
 * the pattern: SQLite's own `glob` may take exponentially long.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { matchesGlob, parseGlob } from "./glob.ts";
 *
 * assert(matchesGlob(parseGlob("*[0-9].jp?g")!, "2024/7.jpeg"));
 * ```
 */
export function matchesGlob(parts: readonly GlobPart[], text: string): boolean {
  let part = 0;
  let at = 0;
  // Only the last `*` may have to take more: what the earlier ones took leaves the most to those behind them.
  let restPart = -1;
  let restAt = 0;
  while (at < text.length) {
    const next = parts[part];
    if (next?.kind === "rest") {
      restPart = part++;
      restAt = at;
      continue;
    }
    const code = text.codePointAt(at)!;
    if (next !== undefined && isOne(next, code)) {
      part++;
      at += unitsOf(code);
      continue;
    }
    if (restPart === -1) return false;
    part = restPart + 1;
    restAt += unitsOf(text.codePointAt(restAt)!);
    at = restAt;
  }
  while (parts[part]?.kind === "rest") part++;
  return part === parts.length;
}

/** Whether a part that stands for one character may stand for this one. */
function isOne(part: GlobPart, code: number): boolean {
  if (part.kind === "character") return part.code === code;
  if (part.kind === "set") {
    return part.ranges.some(([first, last]) => code >= first && code <= last) !== part.isOther;
  }
  return part.kind === "any";
}

/** The UTF-16 units of a code point. */
function unitsOf(code: number): number {
  return code > 0xffff ? 2 : 1;
}
