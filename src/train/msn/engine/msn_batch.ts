/** The views of a batch of B images, each view's images one after the other. */
export interface MsnBatch {
  /** [B, C, H, W]: each image's target view. */
  readonly target: Float32Array;
  /** [views · B, C, H, W]: the random anchor views. */
  readonly random: Float32Array;
  /** [views · B, C, h, w]: the focal anchor views. */
  readonly focal: Float32Array;
  /**
   * [views · B, k]: the patches of the random anchors that go on, by number; default the first k. Focal views of
   * the same size lose as many: theirs follow.
   */
  readonly keptPatches?: Int32Array;
  /** [L, 2, n] each: the factors of blocks' attention and MLP of the anchors, for stochastic depth. */
  readonly branchScale?: { readonly random: Float32Array; readonly focal: Float32Array };
}

/** How the loss of MSN is computed. */
export interface MsnObjective {
  /** τ */
  readonly temperature: number;
  /** T: targets are sharpened to the power 1 / T. */
  readonly sharpen: number;
  /** Rounds of Sinkhorn normalisation of the targets; 0 is off. */
  readonly sinkhornIterations: number;
  /** ε of the prototypes' labels. */
  readonly labelSmoothing: number;
  /** λ of mean-entropy maximisation; 0 is off. */
  readonly meMaxWeight: number;
  /** μ of the anchors' entropy; 0 is off. */
  readonly entropyWeight: number;
}

/** The loss of a batch and its parts. */
export interface MsnLosses {
  readonly loss: number;
  /** Of anchors against their image's sharpened target. */
  readonly crossEntropy: number;
  /** log K minus the entropy of the mean probabilities, whether it counts or not. */
  readonly meMax: number;
  /** The anchors' mean entropy, in nats. */
  readonly entropy: number;
  /** The norm of the gradients over all parameters but the prototypes. */
  readonly norm: number;
}
