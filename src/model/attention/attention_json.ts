import type { Box } from "../../preprocess/seen_box.ts";
import { toNumbers } from "../../tensor/to_numbers.ts";
import type { AttentionMap } from "./attention_map.ts";

/** An attention map as JSON has it. */
export interface AttentionJson {
  /** The rows of the grid of patches. */
  readonly rows: number;
  /** The columns of the grid of patches. */
  readonly columns: number;
  /** The block, from 0. */
  readonly layer: number;
  /** The head, from 0, or the mean of all. */
  readonly head: number | "mean";
  /** Whether it is the rollout through the blocks up to `layer`. */
  readonly rollout: boolean;
  /** Row by row; null for a patch that was dropped. */
  readonly weights: readonly (number | null)[];
  /** Row by row, with a threshold: 1 for the patches that it keeps, else 0. */
  readonly mask?: readonly number[];
  /** The part of the photo that the patches cover. */
  readonly box?: Box;
}

/**
 * Writes an attention map for JSON, as the command line and the service answer it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { attentionJson } from "./attention_json.ts";
 *
 * const map = { rows: 1, columns: 2, layer: 11, head: 0, rollout: false };
 * const { weights } = attentionJson({ ...map, weights: Float32Array.of(0.5, NaN) });
 * assertEquals(weights, [0.5, null]);
 * ```
 */
export function attentionJson({ weights, mask, ...map }: AttentionMap): AttentionJson {
  return {
    ...map,
    weights: toNumbers(weights).map((weight) => Number.isNaN(weight) ? null : weight),
    ...(mask ? { mask: Array.from(mask) } : {}),
  };
}
