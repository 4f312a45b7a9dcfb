import type { TuneMode } from "../tune.ts";

/**
 * How a tune is written as an option: `last:2`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tuneText } from "./tune_text.ts";
 *
 * assertEquals(tuneText({ kind: "last", blocks: 2 }), "last:2");
 * ```
 */
export function tuneText(tune: TuneMode | { readonly kind: "head" | "auto" }): string {
  if (tune.kind === "last") return `last:${tune.blocks}`;
  return tune.kind === "lora" ? `lora:${tune.rank}` : tune.kind;
}
