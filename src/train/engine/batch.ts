/** The objective: of logits [B, K] and targets [B, K]. */
export type LossKind = "cross_entropy" | "binary_cross_entropy" | "mean_squared_error";

/** A batch of B images. */
export interface Batch {
  readonly images: number;
  /** [B, C, H, W] */
  readonly pixelValues?: Float32Array;
  /** [B, T, D], the inputs of the lowest block that learns. */
  readonly inputs?: Float32Array;
  /** [B, T - 1], the patches that go on, by number; default all. */
  readonly keptPatches?: Int32Array;
  /** [B, N], 1 where the mask token replaces a patch. */
  readonly maskedPatches?: Uint8Array;
  /** [L, 2, B], the factors of each block's attention and MLP, for stochastic depth. */
  readonly branchScale?: Float32Array;
}

/** A batch of which all patches and branches count. */
export type WholeBatch = Omit<Batch, "keptPatches" | "branchScale">;

/** What a batch is trained on. */
export interface Objective {
  readonly loss: LossKind;
  /** [B, K]. Those of the cross-entropy carry the weights of classes and the mean over the batch. */
  readonly targets: Float32Array;
  /** The factor of the other losses, 1 / (B K) for their mean. */
  readonly factor?: number;
  /** [K], the weights of positive labels of the binary cross-entropy; default 1. */
  readonly positiveWeights?: Float32Array;
}
