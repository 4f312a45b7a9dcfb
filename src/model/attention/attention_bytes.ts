import type { ViTMSNConfig } from "../../vit_msn/config.ts";

/**
 * The memory that the attentions of one image take, float32 [L, heads, T, T]: 22 MB for ViT-B/16, 60 MB for
 * ViT-L/16, 1.6 GB for ViT-L/7. `computeAttentions` holds as much until it has taken CLS' rows.
 *
 * @param patches the number of patches that the model computes; T is one more.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { attentionBytes } from "./attention_bytes.ts";
 *
 * assertEquals(attentionBytes({ numHiddenLayers: 12, numAttentionHeads: 12 }, 196), 22_353_984);
 * ```
 */
export function attentionBytes(
  { numHiddenLayers: L, numAttentionHeads: heads }: Pick<
    ViTMSNConfig,
    "numHiddenLayers" | "numAttentionHeads"
  >,
  patches: number,
): number {
  return 4 * L * heads * (patches + 1) ** 2;
}
