import type { Tensor } from "../../tensor/tensor.ts";
import { beta } from "./beta.ts";

/** How a batch's images are mixed. If both are given, each is used for half of the batches. */
export interface MixingOptions {
  /** Mixup's alpha (Zhang et al., 2018); 0, the default, turns it off; 0.8 is usual. */
  readonly mixup?: number;
  /** CutMix's alpha (Yun et al., 2019); 0, the default, turns it off; 1 is usual. */
  readonly cutmix?: number;
}

/**
 * Mixes each image of a batch with its counterpart in the reversed batch, and their targets alike, in place:
 * timm's `Mixup` in batch mode. One lambda from Beta(alpha, alpha) is drawn for the batch. Mixup gives
 * `lambda x + (1 - lambda) x reversed`; CutMix gives the counterpart's pixels within a box of 1 - lambda of
 * the area, at a random place, cut at the image's edges, whereupon lambda is the part that is left. The image
 * in the middle of an odd batch stays as it is. Label smoothing is up to the caller.
 *
 * @param pixelValues `[B, C, H, W]`.
 * @param targets a row of class probabilities an image, `[B, K]`.
 * @param random uniform numbers in [0, 1); how many are used varies.
 * @returns lambda, the part of each image that is its own; 1 if both are off.
 * @throws {RangeError} if an alpha is negative or not finite, or the shapes do not fit each other.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { mixBatch } from "./mixing.ts";
 *
 * const pixelValues = {
 *   dtype: "float32" as const,
 *   shape: [2, 1, 1, 1],
 *   data: Float32Array.of(0, 1),
 * };
 * const targets = { dtype: "float32" as const, shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) };
 * const lambda = mixBatch(pixelValues, targets, { mixup: 0.8 }, uniform(1));
 * assertAlmostEquals(pixelValues.data[1]!, lambda, 1e-6);
 * assertAlmostEquals(targets.data[0]!, lambda, 1e-6);
 * ```
 */
export function mixBatch(
  pixelValues: Tensor<"float32">,
  targets: Tensor<"float32">,
  { mixup = 0, cutmix = 0 }: MixingOptions,
  random: () => number,
): number {
  checkAlpha("mixup", mixup);
  checkAlpha("cutmix", cutmix);
  const [batch, channels, height, width] = shapeOf(pixelValues, targets);
  if (mixup === 0 && cutmix === 0) return 1;
  const isCutmix = cutmix > 0 && (mixup === 0 || random() < 0.5);
  const alpha = isCutmix ? cutmix : mixup;
  let lambda = beta(alpha, alpha, random);
  if (isCutmix) {
    const [top, bottom] = sideOf(height, lambda, random);
    const [left, right] = sideOf(width, lambda, random);
    for (let plane = 0; plane < channels; plane++) {
      for (let y = top; y < bottom; y++) {
        const row = (plane * height + y) * width;
        swapWithReverse(pixelValues.data, batch, row + left, row + right);
      }
    }
    lambda = 1 - (bottom - top) * (right - left) / (height * width);
  } else {
    blendWithReverse(pixelValues.data, batch, lambda);
  }
  blendWithReverse(targets.data, batch, lambda);
  return lambda;
}

function checkAlpha(name: string, alpha: number): void {
  if (!(alpha >= 0 && alpha < Infinity)) {
    throw new RangeError(
      `Cannot mix a batch: ${name} is ${alpha}; give an alpha of at least 0 (0 turns it off)`,
    );
  }
}

function shapeOf(
  pixelValues: Tensor<"float32">,
  targets: Tensor<"float32">,
): [batch: number, channels: number, height: number, width: number] {
  const [batch = 0, channels = 0, height = 0, width = 0] = pixelValues.shape;
  if (
    pixelValues.shape.length !== 4 || targets.shape.length !== 2 || targets.shape[0] !== batch
  ) {
    throw new RangeError(
      `Cannot mix a batch: pixel_values are [${pixelValues.shape}] and targets [${targets.shape}]; ` +
        `give [B,C,H,W] and [B,K]`,
    );
  }
  return [batch, channels, height, width];
}

/** Where CutMix's box begins and ends on an axis; its centre is anywhere in the image. */
function sideOf(size: number, lambda: number, random: () => number): [start: number, end: number] {
  const half = Math.trunc(size * Math.sqrt(1 - lambda)) >> 1;
  const centre = Math.floor(random() * size);
  return [Math.max(0, centre - half), Math.min(size, centre + half)];
}

/** Exchanges the elements from `start` to `end` of each of `batch` items with those of its counterpart. */
function swapWithReverse(data: Float32Array, batch: number, start: number, end: number): void {
  const size = data.length / batch;
  for (let item = 0; item < batch >> 1; item++) {
    const own = item * size;
    const other = (batch - 1 - item) * size;
    for (let i = start; i < end; i++) {
      const value = data[own + i]!;
      data[own + i] = data[other + i]!;
      data[other + i] = value;
    }
  }
}

/** Sets each of `batch` items to `lambda` × itself + (1 - `lambda`) × its counterpart. */
function blendWithReverse(data: Float32Array, batch: number, lambda: number): void {
  const size = data.length / batch;
  for (let item = 0; item < batch >> 1; item++) {
    const own = item * size;
    const other = (batch - 1 - item) * size;
    for (let i = 0; i < size; i++) {
      const a = data[own + i]!;
      const b = data[other + i]!;
      data[own + i] = lambda * a + (1 - lambda) * b;
      data[other + i] = lambda * b + (1 - lambda) * a;
    }
  }
}
