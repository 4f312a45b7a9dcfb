/** The figures of one finished epoch. */
export interface FinetuneRecord {
  /** The epoch's number, from 1. */
  readonly epoch: number;
  /** The number of epochs planned. */
  readonly epochs: number;
  /** The optimizer's steps since the start. */
  readonly step: number;
  /** The mean loss of the epoch's training images; not finite if training diverged. */
  readonly loss: number;
  /** The learning rate of the epoch's last step. */
  readonly learningRate: number;
  /** The mean Euclidean norm of the epoch's gradients, before clipping. */
  readonly gradientNorm: number;
  /** The images that the epoch trained on, by its time. */
  readonly imagesPerSecond: number;
  /** The time since the start of training, in seconds. */
  readonly seconds: number;
  /** The quality of the weights after the epoch on held-out images; absent if it was not measured. */
  readonly validation?: HeldOutValidation;
  /** The same of the averaged weights; absent without averaging. */
  readonly averaged?: HeldOutValidation;
}

/** The quality of a set of weights on images that training does not see. */
export interface HeldOutValidation {
  /** The share of images whose best label is correct, from 0 to 1. */
  readonly accuracy: number;
  /** The mean loss of these images. */
  readonly loss: number;
  /** The number of these images. */
  readonly images: number;
}
