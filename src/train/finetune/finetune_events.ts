import type { HeadEvaluation } from "../../heads/evaluate/evaluate.ts";
import type { Head } from "../../heads/head.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { EpochProgress } from "../epoch_progress.ts";
import type { FinetuneSettings } from "./finetune_options.ts";
import type { FinetuneRecord } from "./training_record.ts";
import type { TrainingSet } from "../training_set.ts";
import type { FinetuneState } from "./training_state.ts";
import type { TuneMode } from "../tune.ts";

/** The labelled images of a fine-tuning. */
export interface FinetuneDataset {
  /** The classes' names. */
  readonly classes: readonly string[];
  /** Images that training sees. */
  readonly training: TrainingSet;
  /** Images that training does not see: they choose among results and calibrate the classifier. */
  readonly validation?: TrainingSet | undefined;
}

/** What fine-tuning made. */
export interface FinetuneResult {
  /** The backbone's weights, float32. */
  readonly weights: Map<string, Tensor>;
  /** The classifier on the backbone's features. */
  readonly head: Head;
  /** What learnt; `head` if the backbone is the one that was given. */
  readonly tune: TuneMode | { readonly kind: "head" };
  /** How it was trained; absent if it was not. */
  readonly settings?: FinetuneSettings;
  /** The figures of the epochs. */
  readonly records: readonly FinetuneRecord[];
  /** The epoch of the best weights, from 1. */
  readonly bestEpoch?: number;
  /** Accuracy on the held-out images, of the head on the frozen backbone and of the result. */
  readonly heldOut?: { readonly frozen: number; readonly result: number; readonly images: number };
  /** The evaluation of the result on the held-out images; absent with more than 1,000 classes. */
  readonly evaluation?: HeadEvaluation;
  /** Why training ended early, if it did. */
  readonly stopped?: string;
}

/** What {@linkcode finetune} tells while it works. */
export type FinetuneEvent =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "step" } & EpochProgress
  | { readonly kind: "epoch"; readonly record: FinetuneRecord; state(): FinetuneState }
  | { readonly kind: "interrupted"; readonly state: FinetuneState }
  | { readonly kind: "result"; readonly result: FinetuneResult };

/** How a fine-tuning goes on or ends. */
export interface FinetuneRun {
  /** The state of an interrupted run of the same images and options. */
  readonly resume?: FinetuneState | undefined;
  /** Interrupts training after the present step; the last event then has its state. */
  readonly signal?: AbortSignal | undefined;
  /** The present time in milliseconds; default `performance.now`. */
  readonly now?: () => number;
}
