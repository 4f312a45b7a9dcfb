import type { RawImage } from "../../image/raw_image.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { EpochProgress } from "../epoch_progress.ts";
import type { PretrainMonitorRecord } from "./monitor/monitor_record.ts";
import type { MsnSettings } from "./msn_settings.ts";
import type { PretrainState } from "./pretrain_state.ts";

/** The images of a pre-training. */
export interface PretrainDataset {
  /** The class of each image, an index of `classes`, or `undefined`. They serve for monitoring alone. */
  readonly labels: readonly (number | undefined)[];
  /** Tells the images from others: a training can only be resumed with the same. Default none: labels must do. */
  readonly digest?: string;
  /** The names of the classes; default none. */
  readonly classes?: readonly string[];
  /**
   * An image by its number. It is called once for each use and may be called ahead.
   *
   * @throws {Error} if it cannot be read any more; another image takes its place.
   */
  image(index: number): Promise<RawImage> | RawImage;
}

/** The figures of a pre-training at one time: of the target encoder, and of the steps since the record before. */
export interface PretrainRecord extends PretrainMonitorRecord {
  /** The present epoch, from 1. */
  readonly epoch: number;
  /** All epochs. */
  readonly epochs: number;
  /** The mean loss of the steps; like the figures below, absent before the first step. */
  readonly loss?: number;
  /** The mean cross-entropy of the anchors against their image's sharpened target. */
  readonly crossEntropy?: number;
  /** The mean of log K minus the entropy of a batch's mean probabilities. */
  readonly meMax?: number;
  /** The anchors' mean entropy, in nats. */
  readonly entropy?: number;
  /** The mean norm of the gradients. */
  readonly gradientNorm?: number;
  /** The learning rate of the last step. */
  readonly learningRate?: number;
  /** The weight decay of the last step. */
  readonly weightDecay?: number;
  /** The share of the target network that stayed in the last step. */
  readonly momentum?: number;
  /** Images a second of the steps, records left out. */
  readonly imagesPerSecond?: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** What has collapsed and what to change, if something has. */
  readonly alarm?: string;
}

/** What a pre-training made. */
export interface PretrainResult {
  /** The target encoder's weights, float32. */
  readonly weights: Map<string, Tensor>;
  /** The knobs, all decided. */
  readonly settings: MsnSettings;
  /** All records; the first is before the first step. */
  readonly records: readonly PretrainRecord[];
  /** Why it ended early, if it did. */
  readonly stopped?: string;
}

/** What {@linkcode pretrain} tells while it works. */
export type PretrainEvent =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "step" } & EpochProgress
  | { readonly kind: "record"; readonly record: PretrainRecord; state(): PretrainState }
  | { readonly kind: "interrupted"; readonly state: PretrainState }
  | { readonly kind: "result"; readonly result: PretrainResult };

/** How a pre-training goes on or ends. */
export interface PretrainRun {
  /** The state of an interrupted run of the same images and options. */
  readonly resume?: PretrainState | undefined;
  /** Interrupts training after the present step; the last event then has its state. */
  readonly signal?: AbortSignal | undefined;
  /** The present time in milliseconds; default `performance.now`. */
  readonly now?: () => number;
}
