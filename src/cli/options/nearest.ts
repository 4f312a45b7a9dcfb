import { editDistance } from "./edit_distance.ts";

/** A shorter word is near to too many names to suggest one. */
const MIN_WORD = 2;
/** One edit is allowed for every three letters. */
const LETTERS_A_SLIP = 3;

/**
 * The name that a mistyped word probably means: the only one it is a prefix of, or else the one with the
 * smallest edit distance, if that is small enough.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nearest } from "./nearest.ts";
 *
 * assertEquals(nearest("topk", ["top-k", "model"]), "top-k");
 * assertEquals(nearest("out", ["top-k", "model"]), undefined);
 * ```
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  if (word.length < MIN_WORD) return undefined;
  const begun = names.filter((name) => word.length >= LETTERS_A_SLIP && name.startsWith(word));
  if (begun.length === 1) return begun[0];
  const [best] = names
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .filter(({ name, distance }) =>
      distance <= Math.max(1, Math.floor(Math.max(name.length, word.length) / LETTERS_A_SLIP))
    )
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}
