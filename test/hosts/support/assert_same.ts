import { assertEquals } from "@std/assert";

/**
 * Compares values as JSON, all numbers to the last bit. Tells the first differences only: there are hundreds of
 * numbers.
 *
 * @throws {AssertionError} if they differ.
 */
export function assertSame(actual: unknown, expected: unknown, name = ""): void {
  const [found, wanted] = [new Map(leaves(actual, name)), new Map(leaves(expected, name))];
  const paths = [...new Set([...wanted.keys(), ...found.keys()])]
    .filter((path) => !Object.is(found.get(path), wanted.get(path)))
    .slice(0, 5);
  const some = (all: ReadonlyMap<string, unknown>) => paths.map((path) => [path, all.get(path)]);
  assertEquals(some(found), some(wanted));
}

/** All numbers and texts in a value, by their paths. */
function leaves(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, `${path}/${key}`));
}
