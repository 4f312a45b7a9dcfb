import { Activation } from "../kernels/activation";
import { HeadGradient } from "../kernels/backward/attention";
import { Head } from "../kernels/attention";
import { Loss } from "../kernels/loss";
import { Scratch } from "../kernels/scratch";

/** A linear layer in training, y = x Wᵀ + b. A gradient of 0 stands for frozen parameters. */
@unmanaged
export class TrainedLinear {
  inputs: i32;
  outputs: i32;
  /** f32 panels of Wᵀ, [⌈outputs / 8⌉][inputs][8], for the forward. */
  forward: usize;
  /** f32 panels of W, [⌈inputs / 8⌉][outputs][8], for the backward; 0 if no gradient goes below the layer. */
  backward: usize;
  /** f32 [outputs], padded with zeros to a multiple of 8. */
  bias: usize;
  /** f32 [outputs][inputs], which gradients are added to, or 0. */
  dWeight: usize;
  /** f32 [outputs], or 0. */
  dBias: usize;
}

/** A LayerNorm in training; f32 [D] each. */
@unmanaged
export class TrainedNorm {
  weight: usize;
  bias: usize;
  /** Gradients are added, or 0. */
  dWeight: usize;
  dBias: usize;
}

/** A block, and what its forward keeps of n images for its backward: 10 D numbers a token, if the MLP has 4 D. */
@unmanaged
export class TrainedBlock {
  normBefore: TrainedNorm;
  query: TrainedLinear;
  key: TrainedLinear;
  value: TrainedLinear;
  attentionOutput: TrainedLinear;
  normAfter: TrainedNorm;
  intermediate: TrainedLinear;
  output: TrainedLinear;

  /** f32 [n · T][D]: the block's input. */
  input: usize;
  /** f32 [n · T][D]; of the last block, queries, context and middle have a row an image, as has `hidden`. */
  queries: usize;
  keys: usize;
  values: usize;
  context: usize;
  /** f32: the input of the second LayerNorm. */
  middle: usize;
  /** f32 [n · T][MLP]: before the activation. */
  hidden: usize;
}

/** Memory in which a thread computes the gradients of a layer's parameters, from up to n rows. */
@unmanaged
export class GradientScratch {
  /** f32 [⌈inputs / 8⌉][n][8]: a layer's inputs. */
  panels: usize;
  /** f32 [n][16]: some columns of the gradients of its outputs. */
  block: usize;
  /** SPARE_BYTES of `accumulateOuter`. */
  spare: usize;
  /** i32 that the thread increases now and then. */
  progress: usize;
}

/** What one thread trains with: a model, and the activations of a chunk of images. Strides are in bytes. */
@unmanaged
export class TrainPlan {
  /** The images of the present chunk: the first in the batch, and n. */
  start: i32;
  images: i32;
  /** The most images of a chunk, for which there is memory. */
  chunk: i32;
  /** T, with CLS. */
  tokens: i32;
  /** D */
  width: i32;
  /** Numbers of the hidden layer of an MLP. */
  hiddenWidth: i32;
  heads: i32;
  /** Channels of a head, and the same as a multiple of 8. */
  headSize: i32;
  paddedHeadSize: i32;
  layers: i32;
  labels: i32;
  epsilon: f32;
  activation: Activation;
  /** The block at which the forward begins: 0 after embedding the pixels, another one from its `input`. */
  first: i32;
  /** The lowest block that learns; `layers` if only what follows does. */
  lowest: i32;
  /** 1 if the embeddings learn. */
  learnsEmbeddings: i32;

  /** f32 [batch][T][D], contiguous: the inputs of block `first`, if it is not 0. */
  inputs: usize;
  /** f32 [batch][C][height][width] */
  pixels: usize;
  channels: i32;
  imageHeight: i32;
  imageWidth: i32;
  patchHeight: i32;
  patchWidth: i32;
  /** i32 [batch][T - 1]: the patch of each token after CLS. */
  patches: usize;
  /** u8 [batch][N]: 1 where the mask token replaces the patch; or 0. */
  mask: usize;
  patchCount: i32;
  /** f32 [D] each; 0 without a mask token. */
  maskToken: usize;
  dMaskToken: usize;
  cls: usize;
  dCls: usize;
  /** f32 [1 + N][D] */
  positions: usize;
  dPositions: usize;
  patchEmbeddings: TrainedLinear;

  /** TrainedBlock [layers] */
  blocks: usize;
  norm: TrainedNorm;
  classifier: TrainedLinear;
  /** f32 [layers][2][batch]: the factors of attention and MLP of each image, for stochastic depth; or 0. */
  branchScale: usize;

  stateStride: i32;
  hiddenStride: i32;
  logitStride: i32;
  /** Images of the batch, of which all threads have a part. */
  batch: i32;
  /** f32 [batch][D]: CLS after the final LayerNorm; and its gradients, where no classifier follows. */
  output: usize;
  dOutput: usize;
  /** f32 [batch][labels], and their gradients. */
  logits: usize;
  dLogits: usize;
  /** f32 [n][D]: CLS after the last block. */
  last: usize;
  /** f32 [n · T][D] */
  normal: usize;
  branch: usize;
  /** f32 [n · T][MLP or pixels of a patch] */
  hidden: usize;
  /** Gradients, f32: of the states, a branch, and attention's inputs, [n · T][D]; of the MLP. */
  dStates: usize;
  dBranch: usize;
  dQueries: usize;
  dKeys: usize;
  dValues: usize;
  dHidden: usize;

  loss: Loss;
  /** The factor of the binary cross-entropy and of the squared error; see `computeLoss`. */
  lossFactor: f32;
  /** f32 [batch][labels], contiguous. */
  targets: usize;
  /** f32 [labels], or 0. */
  positive: usize;

  /** The memory of this thread's gradients. */
  gradients: usize;
  gradientBytes: usize;

  head: Head;
  headGradient: HeadGradient;
  scratch: Scratch;
  gradientScratch: GradientScratch;
}

/** The places of a block. */
export function blockOf(plan: TrainPlan, index: i32): TrainedBlock {
  return changetype<TrainedBlock>(plan.blocks + index * offsetof<TrainedBlock>());
}
