import type { Box } from "../../preprocess/seen_box.ts";
import type { ImageAttentions } from "./image_attentions.ts";
import { massMask } from "./mass_mask.ts";

/** Which attention to show. */
export interface AttentionChoice {
  /** The block, from 0; negative ones count from the last, −1. Default −1. */
  readonly layer?: number;
  /** The head, from 0, or the mean of all; default `mean`. */
  readonly head?: number | "mean";
  /**
   * Whether to show the rollout through the blocks up to `layer` instead of the block's own attention:
   * Abnar & Zuidema 2020. It takes the mean of the heads.
   */
  readonly rollout?: boolean;
  /** The share of the attention to patches that the mask keeps, above 0 and up to 1; default no mask. */
  readonly threshold?: number;
}

/** The attention of CLS to each patch of an image. */
export interface AttentionMap {
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
  /**
   * [rows · columns], row by row: the weight of each patch; NaN for a patch that was dropped. They sum to 1
   * less the attention of CLS to itself.
   */
  readonly weights: Float32Array;
  /** [rows · columns], with a threshold: 1 for the patches of the largest weights that reach it, else 0. */
  readonly mask?: Uint8Array;
  /** The part of the photo that the patches cover. */
  readonly box?: Box;
}

/**
 * Chooses a block and a head of an image's attentions.
 *
 * By default it is the self-attention of CLS in the last block, as in the figures of DINO (Caron et al. 2021);
 * with a threshold, the mask is theirs too: of the patches, the fewest that keep this share of the mass.
 *
 * @throws {RangeError} if there is no such block or head, or the threshold is out of range.
 * @throws {TypeError} if a single head is to be rolled out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { attentionMap } from "./attention_map.ts";
 *
 * const weights = Float32Array.of(0.5, 0.25, 0.125, 0.125);
 * const grid = { rows: 2, columns: 2, blocks: 1, heads: 1, patches: Int32Array.of(0, 1, 2, 3) };
 * const { mask } = attentionMap({ ...grid, weights, rollouts: weights }, { threshold: 0.75 });
 * assertEquals(mask, Uint8Array.of(1, 1, 0, 0));
 * ```
 */
export function attentionMap(
  attentions: ImageAttentions,
  { layer: given = -1, head = "mean", rollout = false, threshold }: AttentionChoice = {},
): AttentionMap {
  const { rows, columns, blocks, patches, box } = attentions;
  const K = patches.length;
  const layer = blockOf(given, blocks);
  assertHead(head, attentions.heads);
  if (rollout && head !== "mean") {
    throw new TypeError(
      `Cannot roll out head ${head}: a rollout takes the mean of the heads; leave out the head`,
    );
  }
  const values = rollout
    ? attentions.rollouts.subarray(layer * K, (layer + 1) * K)
    : weightsOf(attentions, layer, head);
  const weights = new Float32Array(rows * columns).fill(NaN);
  patches.forEach((patch, k) => weights[patch] = values[k]!);
  return {
    rows,
    columns,
    layer,
    head,
    rollout,
    weights,
    ...(threshold === undefined ? {} : { mask: massMask(weights, threshold) }),
    ...(box ? { box } : {}),
  };
}

/** [K] of one head, or the mean of all. */
function weightsOf(
  { heads, weights, patches: { length: K } }: ImageAttentions,
  layer: number,
  head: number | "mean",
): Float32Array {
  const block = weights.subarray(layer * heads * K, (layer + 1) * heads * K);
  if (head !== "mean") return block.subarray(head * K, (head + 1) * K);
  return Float32Array.from({ length: K }, (_, k) => {
    let sum = 0;
    for (let at = k; at < block.length; at += K) sum += block[at]!;
    return sum / heads;
  });
}

function blockOf(layer: number, blocks: number): number {
  if (Number.isInteger(layer) && layer >= -blocks && layer < blocks) {
    return layer < 0 ? blocks + layer : layer;
  }
  throw new RangeError(
    `Cannot show the attention of block ${layer}: the model has the blocks 0 to ${blocks - 1}, ` +
      `or −${blocks} to −1 from the last`,
  );
}

function assertHead(head: number | "mean", heads: number): void {
  if (head === "mean" || Number.isInteger(head) && head >= 0 && head < heads) return;
  throw new RangeError(
    `Cannot show the attention of head ${head}: a block has the heads 0 to ${heads - 1}, or mean`,
  );
}
