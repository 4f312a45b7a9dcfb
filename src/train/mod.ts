/**
 * Fine-tuning of ViT-MSN in WebAssembly: {@linkcode finetune} trains a model on labelled images and tells
 * what it does, step by step. It takes pixels, so it works in a browser, too.
 *
 * @module
 */

export type { EpochProgress } from "./epoch_progress.ts";
export { finetune } from "./finetune.ts";
export type {
  FinetuneDataset,
  FinetuneEvent,
  FinetuneResult,
  FinetuneRun,
} from "./finetune_events.ts";
export type { FinetuneOptions, FinetuneSettings } from "./finetune_options.ts";
export type { TrainingRecord, Validation } from "./training_record.ts";
export type { TrainingSet } from "./training_set.ts";
export {
  stateOfTensors,
  stateToTensors,
  type TrainingProgress,
  type TrainingState,
} from "./training_state.ts";
export type { Tune } from "./tune.ts";
export { tuneText } from "./tune_text.ts";
