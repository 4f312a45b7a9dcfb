import { assertDataType, elementCount, type Tensor } from "../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "./config.ts";

/** The inputs of the forward pass, under Hugging Face's names. */
export interface ForwardInputs {
  /** float32 [B, C, H, W], B at least 1. */
  readonly pixel_values: Tensor;
  /** bool [B, N]: the mask token replaces the embeddings of these patches. */
  readonly bool_masked_pos?: Tensor;
  /**
   * int64 [B, K], 0 to N - 1: the patches to keep, in this order. The others are dropped after the position
   * embeddings are added, as in MSN's training. CLS is always kept.
   */
  readonly kept_patches?: Tensor;
  /** The targets of the loss: int64 [B]; float32 [B] for regression, or [B, K] for several labels. */
  readonly labels?: Tensor;
}

/**
 * Validates the inputs against the config.
 *
 * @returns what to feed a session.
 * @throws {TypeError} if an input has another type.
 * @throws {RangeError} if it has another shape, or values out of range. The messages about
 * `pixel_values` are Hugging Face's.
 */
export function checkInputs(
  inputs: ForwardInputs,
  config: ViTMSNConfig,
  interpolatePosEncoding: boolean,
): ReadonlyMap<string, Tensor> {
  const { pixel_values, bool_masked_pos, kept_patches } = inputs;
  for (const [name, tensor] of Object.entries(inputs) as [string, Tensor | undefined][]) {
    if (tensor && tensor.data.length !== elementCount(tensor.shape)) {
      throw new RangeError(
        `Cannot run the model: ${name} has ${tensor.data.length} elements, not [${tensor.shape}]`,
      );
    }
  }
  const [batch, height, width] = checkPixelValues(pixel_values, config, interpolatePosEncoding);
  const imageSize = [height, width] as const;
  const [rows, columns] = patchGrid({ imageSize, patchSize: config.patchSize });
  const feeds = new Map([["pixel_values", pixel_values]]);
  if (bool_masked_pos) {
    assertDataType(bool_masked_pos, "bool", "bool_masked_pos");
    checkShape("bool_masked_pos", bool_masked_pos, [batch, rows * columns]);
    feeds.set("bool_masked_pos", bool_masked_pos);
  }
  if (kept_patches) {
    assertDataType(kept_patches, "int64", "kept_patches");
    checkShape("kept_patches", kept_patches, [batch, kept_patches.shape[1] ?? 0]);
    const outside = kept_patches.data.find((patch) => patch < 0 || patch >= rows * columns);
    if (outside !== undefined) {
      throw new RangeError(
        `Cannot keep the patch ${outside}: the image has patches from 0 to ${rows * columns - 1}`,
      );
    }
    feeds.set("kept_patches", kept_patches);
  }
  return feeds;
}

function checkPixelValues(
  pixelValues: Tensor,
  { numChannels, imageSize, patchSize }: ViTMSNConfig,
  interpolatePosEncoding: boolean,
): [batch: number, height: number, width: number] {
  assertDataType(pixelValues, "float32", "pixel_values");
  const [batch, channels, height, width, ...more] = pixelValues.shape;
  if (!batch || !channels || !height || !width || more.length > 0) {
    throw new RangeError(
      `Cannot run the model: pixel_values is [${pixelValues.shape}], ` +
        "not [batch, channels, height, width]",
    );
  }
  if (channels !== numChannels) {
    throw new RangeError(
      "Make sure that the channel dimension of the pixel values match with the one set in the " +
        `configuration. Expected ${numChannels} but got ${channels}.`,
    );
  }
  if (!interpolatePosEncoding && (height !== imageSize[0] || width !== imageSize[1])) {
    throw new RangeError(
      `Input image size (${height}*${width}) doesn't match model (${imageSize[0]}*${
        imageSize[1]
      }).`,
    );
  }
  if (height < patchSize[0] || width < patchSize[1]) {
    throw new RangeError(
      `Cannot run the model: an image of ${height} × ${width} is smaller than a patch of ${
        patchSize[0]
      } × ${patchSize[1]}`,
    );
  }
  return [batch, height, width];
}

function checkShape(name: string, { shape }: Tensor, expected: readonly number[]): void {
  if (shape.length !== expected.length || shape.some((size, i) => size !== expected[i])) {
    throw new RangeError(`Cannot run the model: ${name} is [${shape}], not [${expected}]`);
  }
}
