import type { ImageSource } from "../image/image_source.ts";
import { toRawImage } from "../image/to_raw_image.ts";
import type { ViTImageProcessor } from "../preprocess/vit_image_processor.ts";
import { stackRows } from "../tensor/stack_rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ImageInputOptions } from "./vit_msn_model.ts";

/**
 * Makes `pixel_values` of images for a model: decodes, resizes and normalises one after the other, so that
 * of many photos only one is in memory with all its pixels.
 *
 * @returns [B, C, H, W]
 * @throws {RangeError} if there are no images, or they differ in size after the processor's steps.
 * @throws {ImageDecodeError} if an image cannot be decoded.
 * @throws {TypeError} if an image has no form that can be read here; see {@linkcode toRawImage}.
 */
export async function readImages(
  images: readonly ImageSource[],
  processor: ViTImageProcessor,
  { decode = "standard", ...options }: ImageInputOptions,
): Promise<Tensor<"float32">> {
  const decoding = { ...options, ...processor.decodeOptions(decode) };
  const batch: Tensor<"float32">[] = [];
  for (const image of images) {
    batch.push(processor.preprocess([await toRawImage(image, decoding)]));
  }
  return joinBatches(batch);
}

/** [B, C, H, W] of B tensors [1, C, H, W]. */
function joinBatches(batch: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const [first] = batch;
  if (!first) throw new RangeError("Cannot preprocess: the list of images is empty");
  if (batch.length === 1) return first;
  const [, , H, W] = first.shape;
  batch.forEach(({ shape: [, , height, width] }, b) => {
    if (height === H && width === W) return;
    throw new RangeError(
      `Cannot preprocess: image ${b} becomes ${width} × ${height}, but the first one ${W} × ${H}`,
    );
  });
  return stackRows(batch.map(({ data }) => data), first.shape.slice(1));
}
