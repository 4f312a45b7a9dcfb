import { toFloat32 } from "../tensor/float16.ts";
import { parseConfig, patchGrid } from "./config.ts";
import { interpolatePositions } from "./interpolate_positions.ts";
import type { ViTMSNWeights } from "./weights.ts";

const POSITIONS = "embeddings.position_embeddings";

/**
 * Converts a model to another image size: interpolates its position embeddings and sets `image_size` in its
 * config. The result computes what the model with `interpolate_pos_encoding` computes for images of that size.
 *
 * @param config the parsed `config.json`.
 * @param weights the weights; only the position embeddings are replaced.
 * @param imageSize [height, width] in pixels, at least one patch.
 * @throws {TypeError} if the size is smaller than a patch.
 */
export function withImageSize(
  config: unknown,
  weights: ViTMSNWeights,
  imageSize: readonly [number, number],
): { config: unknown; weights: ViTMSNWeights } {
  const newConfig = { ...config as Record<string, unknown>, image_size: imageSize };
  const positions = interpolatePositions(
    toFloat32(weights.get(POSITIONS)!),
    patchGrid(parseConfig(config)),
    patchGrid(parseConfig(newConfig)),
  );
  return { config: newConfig, weights: new Map(weights).set(POSITIONS, positions) };
}
