import { parseFilter } from "../../search/parse_filter.ts";
import type { ImageFilter } from "../../search/vector_index.ts";
import { type Option, UsageError } from "../command.ts";

/** The option that limits a search to some images. */
export const WHERE_OPTION = {
  value: "TEST",
  multiple: true,
  help:
    "Search some images only: label=NAME, or path=PATTERN of the whole path, in which * is any text; given " +
    "again: any of the labels, and any of the patterns",
} as const satisfies Option;

/** @throws {UsageError} if a value is no test. */
export function whereOption(tests: readonly string[]): ImageFilter {
  try {
    return parseFilter(tests);
  } catch (error) {
    throw new UsageError(`--where: ${(error as SyntaxError).message}`);
  }
}
