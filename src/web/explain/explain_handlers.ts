import {
  attentionMap,
  computeAttentions,
  type ImageAttentions,
  overlayAttention,
  type RawImage,
  resize,
  toRawImage,
} from "../../mod.ts";
import type { Context } from "../handlers/handlers.ts";
import type {
  AttentionsReply,
  AttentionsRequest,
  OverlayReply,
  OverlayRequest,
} from "./explain_messages.ts";

/** The longest side of a drawn photo: more pixels than a page shows take time that a slider has not. */
const MAX_SIDE = 1024;

/** Handles the messages of Explain: of one photo, maps are drawn without a second run of the model. */
export class ExplainHandlers {
  #photo: { readonly id: number; readonly pixels: RawImage; readonly small: RawImage } | undefined;
  #attentions: ImageAttentions | undefined;

  /** Computes what CLS attends to. */
  async attentions(
    { image, id, keepPatches, seed }: AttentionsRequest,
    { model: { current: model } }: Context<never>,
  ): Promise<AttentionsReply> {
    this.#attentions = undefined;
    if (this.#photo?.id !== id) {
      const pixels = await toRawImage(image, model.processor.decodeOptions("standard"));
      this.#photo = { id, pixels, small: shrink(pixels) };
    }
    const start = performance.now();
    const { pixels } = this.#photo;
    this.#attentions = await computeAttentions(model, pixels, { keepPatches, seed });
    return { attentions: this.#attentions, milliseconds: performance.now() - start };
  }

  /** Draws a map on the photo. */
  overlay({ opacity, ...choice }: OverlayRequest): Promise<OverlayReply> {
    if (!this.#photo || !this.#attentions) {
      throw new Error("Cannot draw attention: no photo was looked at");
    }
    const map = attentionMap(this.#attentions, choice);
    const { width, height, data } = overlayAttention(this.#photo.small, map, { opacity });
    const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
    for (let i = 0, j = 0; i < data.length; i += 3, j += 4) {
      rgba[j] = data[i]!;
      rgba[j + 1] = data[i + 1]!;
      rgba[j + 2] = data[i + 2]!;
    }
    return Promise.resolve({ width, height, rgba, map });
  }
}

/** The photo itself, if it is small. */
function shrink(image: RawImage): RawImage {
  const scale = Math.min(1, MAX_SIDE / Math.max(image.width, image.height));
  if (scale === 1) return image;
  const size = (length: number) => Math.max(1, Math.round(scale * length));
  return resize(image, size(image.width), size(image.height), "bilinear");
}
