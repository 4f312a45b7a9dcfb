import type { ViTMSNConfig } from "./config.ts";

/**
 * The FLOPs of one image's forward pass: all matrix products (patch projection, q, k, v and output
 * projections, both products of attention, the MLPs), with two FLOPs for each multiply-add.
 *
 * @param tokens T, including CLS.
 */
export function flopsOf(
  { hiddenSize: D, intermediateSize: I, numHiddenLayers, numChannels, patchSize }: ViTMSNConfig,
  tokens: number,
): number {
  const patches = (tokens - 1) * numChannels * patchSize[0] * patchSize[1] * D;
  const linear = tokens * (4 * D * D + 2 * D * I);
  const attention = 2 * tokens * tokens * D;
  return 2 * (patches + numHiddenLayers * (linear + attention));
}
