/** A class that can be taught. */
export interface ClassCount {
  readonly name: string;
  /** The number of its photos. */
  readonly count: number;
}

/** Photos of a class that suffice. */
export const ENOUGH = 5;
/** The photos of a class that cross-validation takes. */
const LEAST = 3;

/** What keeps a project from being taught, and what would make it better. */
export interface Missing {
  /** Whether a classifier can be fitted. */
  readonly canFit: boolean;
  /** What to do next; empty if nothing is missing. */
  readonly advice: string;
}

/**
 * Says what a project lacks: two classes with a photo are needed, three photos each make accuracy known, five
 * suffice.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { whatIsMissing } from "./what_is_missing.ts";
 *
 * const { canFit, advice } = whatIsMissing([{ name: "cat", count: 5 }, { name: "dog", count: 4 }]);
 * assertEquals(canFit, true);
 * assertEquals(advice, "Five photos a class suffice: add 1 to “dog”.");
 * ```
 */
export function whatIsMissing(classes: readonly ClassCount[]): Missing {
  const some = classes.filter(({ count }) => count > 0);
  if (classes.length < 2) {
    const more = classes.length === 0 ? "two classes" : "a second class";
    return { canFit: false, advice: `Make ${more}, and add five photos to each.` };
  }
  if (some.length < 2) {
    const empty = classes.filter(({ count }) => count === 0).map(({ name }) => `“${name}”`);
    return { canFit: false, advice: `Add photos to ${listed(empty)}: five a class suffice.` };
  }
  const few = classes.filter(({ count }) => count < ENOUGH);
  if (few.length === 0) return { canFit: true, advice: "" };
  const needs = few.map(({ name, count }) => `${ENOUGH - count} to “${name}”`);
  const unknown = classes.filter(({ count }) => count >= LEAST).length < 2
    ? " With fewer than three a class, the accuracy stays unknown."
    : "";
  return { canFit: true, advice: `Five photos a class suffice: add ${listed(needs)}.${unknown}` };
}

/** The most that a sentence lists. */
const MAX_LISTED = 4;

function listed(parts: readonly string[]): string {
  const shown = parts.length > MAX_LISTED
    ? [...parts.slice(0, MAX_LISTED), `${parts.length - MAX_LISTED} more`]
    : parts;
  return [...shown.slice(0, -2), shown.slice(-2).join(" and ")].join(", ");
}
