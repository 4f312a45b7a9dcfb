import type { ImageSource } from "../../image/image_source.ts";
import { toRawImage } from "../../image/to_raw_image.ts";
import { seenBox } from "../../preprocess/seen_box.ts";
import type { ImageInputOptions, ViTMSNModel } from "../vit_msn_model.ts";
import type { ImageAttentions } from "./image_attentions.ts";
import { tensorAttentions } from "./tensor_attentions.ts";

/**
 * Computes what CLS attends to on an image, in every block and head, and with a classifier the labels, in one
 * forward pass. {@linkcode attentionMap} makes maps of it; {@linkcode overlayAttention} draws one on the photo.
 *
 * While it runs, it holds all attentions of the image; see {@linkcode attentionBytes}.
 *
 * @param image in any form.
 * @throws {RangeError} if `keepPatches` or `seed` is out of range.
 * @throws {ImageDecodeError} if the image cannot be decoded; see {@linkcode toRawImage}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel } from "../load_model.ts";
 * import { attentionMap } from "./attention_map.ts";
 * import { computeAttentions } from "./compute_attentions.ts";
 *
 * await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
 * const attentions = await computeAttentions(model, await Deno.readFile("test/images/ship.jpg"));
 * assertEquals(attentions.labels?.[0]?.label, "ship");
 * const { rows, columns, weights } = attentionMap(attentions, { layer: -1, head: 0 });
 * assertEquals([rows, columns, weights.length], [8, 8, 64]);
 * ```
 */
export async function computeAttentions(
  model: ViTMSNModel,
  image: ImageSource,
  { keepPatches, seed, decode = "standard", ...options }: ImageInputOptions = {},
): Promise<ImageAttentions> {
  const { processor, config: { patchSize: [patchHeight, patchWidth] } } = model;
  const photo = await toRawImage(image, { ...options, ...processor.decodeOptions(decode) });
  const attentions = await tensorAttentions(model, processor.preprocess([photo]), {
    ...(keepPatches === undefined ? {} : { keepPatches }),
    ...(seed === undefined ? {} : { seed }),
  });
  const seen = {
    width: attentions.columns * patchWidth,
    height: attentions.rows * patchHeight,
  };
  return { ...attentions, box: seenBox(processor.config, photo, seen) };
}
