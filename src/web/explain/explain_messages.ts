import type { AttentionChoice, AttentionMap, ImageAttentions } from "../../mod.ts";
import type { Message } from "../messages.ts";

/** The messages of Explain. */
export interface ExplainMessages {
  /** Computes what CLS attends to on a photo, in every block and head. */
  attentions: Message<AttentionsRequest, AttentionsReply>;
  /** Draws one of these maps on the photo that was last asked for. */
  overlay: Message<OverlayRequest, OverlayReply>;
}

/** A photo, and which of its patches are kept. */
export interface AttentionsRequest {
  readonly image: Blob;
  /** The same number for the same photo: it is decoded once. */
  readonly id: number;
  /** The share of patches that are kept, above 0 and up to 1. */
  readonly keepPatches: number;
  /** Of the random choice of patches. */
  readonly seed: number;
}

/** What the model looks at, and what it says. */
export interface AttentionsReply {
  /** With the labels of the patches that are kept, if the model has a classifier. */
  readonly attentions: ImageAttentions;
  /** Of the forward pass. */
  readonly milliseconds: number;
}

/** Which map to draw, and how. */
export interface OverlayRequest extends AttentionChoice {
  /** The share of the colour, from 0 to 1. */
  readonly opacity: number;
}

/** The photo with the map on it. */
export interface OverlayReply {
  readonly width: number;
  readonly height: number;
  /** [H, W, 4] */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly map: AttentionMap;
}
