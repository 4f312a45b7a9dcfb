import { inverseWeights, type LayerNormWeights } from "../vit_msn/layer_norm.ts";

/**
 * The feature that heads classify, as in the evaluation of the MSN paper: the CLS token of the last block
 * *before* the final LayerNorm, minus its mean, divided by its length. It is recovered from the output of
 * the LayerNorm, `y = w u + b`, where `u` has the feature's direction:
 *
 *     u = (y - b) / w, f = (u - mean(u)) / ‖u - mean(u)‖
 *
 * Where a weight is too close to 0 to invert, `u` is 0.
 *
 * @param cls [D], the CLS token of `last_hidden_state`.
 * @param layerNorm the final LayerNorm of the backbone that computed `cls`.
 * @returns [D], of length 1; zeros if all `u` are equal, because they then have no direction.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { toFeature } from "./feature.ts";
 *
 * const layerNorm = { weight: Float32Array.of(1, 2), bias: Float32Array.of(0, 1) };
 * const feature = toFeature(Float32Array.of(3, -5), layerNorm); // u = [3, -3]
 * assertEquals(feature, Float32Array.of(Math.SQRT1_2, -Math.SQRT1_2));
 * ```
 */
export function toFeature(cls: Float32Array, layerNorm: LayerNormWeights): Float32Array {
  const inverse = inverseWeights(layerNorm);
  const u = Float64Array.from(cls, (y, d) => (y - layerNorm.bias[d]!) * inverse[d]!);
  const mean = u.reduce((sum, x) => sum + x, 0) / u.length;
  const centred = u.map((x) => x - mean);
  const length = Math.sqrt(centred.reduce((sum, x) => sum + x * x, 0));
  return Float32Array.from(centred, (x) => length === 0 ? 0 : x / length);
}
