/** How far a running epoch is. */
export interface EpochProgress {
  /** The epoch's number, from 1. */
  readonly epoch: number;
  /** The number of epochs planned. */
  readonly epochs: number;
  /** The steps of this epoch that are done, of `steps`. */
  readonly step: number;
  /** The steps of an epoch. */
  readonly steps: number;
  /** The mean loss of the epoch so far. */
  readonly loss: number;
  /** Of the epoch so far. */
  readonly imagesPerSecond: number;
  /** The latest accuracy on held-out images, from 0 to 1; absent if it was not measured. */
  readonly accuracy?: number | undefined;
  /** The time until the last epoch ends, in seconds; not finite if it is not known. */
  readonly secondsLeft: number;
}
