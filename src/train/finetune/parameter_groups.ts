import type { ViTMSNConfig } from "../../vit_msn/config.ts";

/** How a parameter learns. */
export interface ParameterGroup {
  /** The factor of the learning rate. */
  readonly scale: number;
  readonly weightDecay: number;
}

/**
 * How a parameter learns in fine-tuning, as in the MAE codebase: the lower its layer, the less, by
 * `decay^(L + 1 - layer)`, where the embeddings are layer 0, block i is i + 1, and what follows is L + 1.
 * Vectors, CLS and positions have no weight decay. Adapters have the factor 1.
 *
 * @param name of a weight or an adapter.
 * @param shape the parameter's.
 */
export function parameterGroup(
  name: string,
  shape: readonly number[],
  { numHiddenLayers: L }: ViTMSNConfig,
  { layerDecay, weightDecay }: { readonly layerDecay: number; readonly weightDecay: number },
): ParameterGroup {
  const isMatrix = shape.filter((size) => size > 1).length > 1 && !/_embeddings$/.test(name);
  const block = /^encoder\.layer\.(\d+)\./.exec(name)?.[1];
  const layer = name.startsWith("embeddings.")
    ? 0
    : block !== undefined
    ? Number(block) + 1
    : L + 1;
  return {
    scale: name.includes(".lora_") ? 1 : layerDecay ** (L + 1 - layer),
    weightDecay: isMatrix ? weightDecay : 0,
  };
}
