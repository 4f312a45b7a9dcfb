import type { Box } from "../../preprocess/seen_box.ts";
import type { Classification } from "../outputs/classification.ts";

/**
 * What CLS attends to on an image, in every block and head: all that {@linkcode attentionMap} needs, in some
 * kilobytes, so that another head, block or threshold needs no second run of the model.
 */
export interface ImageAttentions {
  /** The rows of the grid of patches. */
  readonly rows: number;
  /** The columns of the grid of patches. */
  readonly columns: number;
  /** L, the number of blocks. */
  readonly blocks: number;
  /** The number of heads of a block. */
  readonly heads: number;
  /** [K], ascending: the patches that the model computed, row by row from 0; the others were dropped. */
  readonly patches: Int32Array;
  /** [L, heads, K]: the attention of CLS to each computed patch. */
  readonly weights: Float32Array;
  /** [L, K]: the rollout from CLS to each computed patch, through all blocks up to this one. */
  readonly rollouts: Float32Array;
  /** The part of the photo that the patches cover; missing if they were computed of `pixel_values`. */
  readonly box?: Box;
  /** [classes], of the same forward pass, if the model classifies. */
  readonly logits?: Float32Array;
  /** The labels by these logits, best first, if the model classifies. */
  readonly labels?: readonly Classification[];
}
