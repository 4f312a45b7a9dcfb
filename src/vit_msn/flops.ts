import type { ViTMSNConfig } from "./config.ts";

/**
 * The floating-point operations of all matrix products of the forward of one image, two a
 * multiply-add: patches, queries, keys, values and their output, both products of attention, the MLPs.
 *
 * @param tokens T, with CLS.
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
