import type { ImageFilter } from "./vector_index.ts";

/**
 * Reads a filter as people write it: tests `label=NAME` and `path=PATTERN`. Several of one kind mean any of
 * them; both kinds must be met. No test is met by all images.
 *
 * @throws {SyntaxError} if a test has another form.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseFilter } from "./parse_filter.ts";
 *
 * const filter = parseFilter(["label=dog", "label=cat", "path=*\/2024/*"]);
 * assertEquals(filter, { label: ["dog", "cat"], path: ["*\/2024/*"] });
 * ```
 */
export function parseFilter(tests: readonly string[]): ImageFilter {
  const filter: { label?: string[]; path?: string[] } = {};
  for (const test of tests) {
    const [, name, wanted] = /^(label|path)=(.+)$/s.exec(test) ?? [];
    if (name === undefined) throw new SyntaxError(`${test} is not label=NAME or path=PATTERN`);
    (filter[name as keyof typeof filter] ??= []).push(wanted!);
  }
  return filter;
}
