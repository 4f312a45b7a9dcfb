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
    i += 2;
  }
  return undefined;
}

/**
 * Makes a test of whole texts of a pattern. The time of a test is at most proportional to the product of their
 * lengths, whoever wrote the pattern: SQLite's own `glob` may take exponentially long.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { compileGlob } from "./glob.ts";
 *
 * assert(compileGlob("*[0-9].jp?g")("2024/7.jpeg"));
 * ```
 */
export function compileGlob(glob: string): (text: string) => boolean {
  const parts = parseGlob(glob);
  if (!parts) return () => false;
  const between: OnePart[][] = [[]];
  for (const part of parts) {
    if (part.kind === "rest") between.push([]);
    else between.at(-1)!.push(part);
  }
  const [first, ...others] = between.map(segmentOf) as [Segment, ...Segment[]];
  const last = others.pop();
  return (text) => {
    let at = endOf(first, text, 0);
    if (!last) return at === text.length;
    // What is found first leaves the most to those behind.
    for (const segment of others) {
      if (at === -1) return false;
      at = find(segment, text, at);
    }
    if (at === -1) return false;
    const start = startFromEnd(last, text);
    return start >= at && endOf(last, text, start) === text.length;
  };
}

/** What stands between two `*`: as many characters as parts. */
interface Segment {
  readonly parts: readonly OnePart[];
  /** The text, if all parts are characters. */
  readonly literal: string | undefined;
}

type OnePart = Exclude<GlobPart, { kind: "rest" }>;

function segmentOf(parts: readonly OnePart[]): Segment {
  const codes = parts.map((part) => part.kind === "character" ? part.code : undefined);
  const isLiteral = codes.every((code) => code !== undefined);
  return { parts, literal: isLiteral ? String.fromCodePoint(...codes) : undefined };
}

/** Where a segment that begins at a place ends; -1 if it does not match. */
function endOf({ parts, literal }: Segment, text: string, at: number): number {
  if (literal !== undefined) return text.startsWith(literal, at) ? at + literal.length : -1;
  for (const part of parts) {
    const code = text.codePointAt(at);
    if (code === undefined || !isOne(part, code)) return -1;
    at += unitsOf(code);
  }
  return at;
}

/** Where the first match of a segment from a place on ends; -1 if there is none. */
function find(segment: Segment, text: string, from: number): number {
  if (segment.literal !== undefined) {
    const at = text.indexOf(segment.literal, from);
    return at === -1 ? -1 : at + segment.literal.length;
  }
  for (let at = from; at < text.length; at += unitsOf(text.codePointAt(at)!)) {
    const end = endOf(segment, text, at);
    if (end !== -1) return end;
  }
  return -1;
}

/** Where a segment begins that ends with the text; negative if the text is too short. */
function startFromEnd({ parts, literal }: Segment, text: string): number {
  if (literal !== undefined) return text.length - literal.length;
  let at = text.length;
  for (const _ of parts) {
    if (at === 0) return -1;
    const code = at > 1 ? text.codePointAt(at - 2)! : 0;
    at -= unitsOf(code);
  }
  return at;
}

/** Whether a part may stand for a character. */
function isOne(part: OnePart, code: number): boolean {
  if (part.kind === "character") return part.code === code;
  if (part.kind === "set") {
    return part.ranges.some(([first, last]) => code >= first && code <= last) !== part.isOther;
  }
  return true;
}

/** The UTF-16 units of a code point. */
function unitsOf(code: number): number {
  return code > 0xffff ? 2 : 1;
}
