import type { Image } from "../../image/image.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { EpochProgress } from "../epoch_progress.ts";
import type { MonitorRecord } from "./monitor_record.ts";
import type { MsnSettings } from "./msn_settings.ts";
import type { PretrainState } from "./pretrain_state.ts";

/** The images of a pre-training. */
export interface PretrainDataset {
  /** The class of each image, an index of `classes`, or `undefined`. They serve for monitoring alone. */
  readonly labels: readonly (number | undefined)[];
  /** The names of the classes; default none. */
  readonly classes?: readonly string[];
  /**
   * An image by its number. It is called once for each use and may be called ahead.
   *
   * @throws {Error} if it cannot be read any more; another image takes its place.
   */
  image(index: number): Promise<Image> | Image;
}

/** The figures of a pre-training at one time: of the target encoder, and of the steps since the record before. */
export interface PretrainRecord extends MonitorRecord {
  readonly epoch: number;
  readonly epochs: number;
  /** The loss and its parts, means of the steps; absent before the first step. */
  readonly loss?: number;
  readonly crossEntropy?: number;
  readonly meMax?: number;
  readonly entropy?: number;
  /** The mean norm of the gradients. */
  readonly gradientNorm?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly momentum?: number;
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
  readonly settings: MsnSettings;
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
