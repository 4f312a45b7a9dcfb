/**
 * Training of ViT-MSN in WebAssembly: {@linkcode finetune} trains a model on labelled images, {@linkcode pretrain}
 * a backbone on images without labels. Both tell what they do, step by step, and take pixels, so they work in a
 * browser, too.
 *
 * @module
 */

export type { EpochProgress } from "./epoch_progress.ts";
export { finetune } from "./finetune/finetune.ts";
export type {
  FinetuneDataset,
  FinetuneEvent,
  FinetuneResult,
  FinetuneRun,
} from "./finetune/finetune_events.ts";
export type { FinetuneOptions, FinetuneSettings } from "./finetune/finetune_options.ts";
export type { ModelName } from "./msn/model_names.ts";
export type { FeatureMeasurement } from "./msn/monitor/monitor.ts";
export type { PretrainMonitorRecord } from "./msn/monitor/monitor_record.ts";
export { parseMsnConfig, type ReadMsnConfig } from "./msn/msn_config.ts";
export type { MsnConfig, MsnSettings } from "./msn/msn_settings.ts";
export { pretrain, type PretrainModel } from "./msn/pretrain.ts";
export type {
  PretrainDataset,
  PretrainEvent,
  PretrainRecord,
  PretrainResult,
  PretrainRun,
} from "./msn/pretrain_events.ts";
export type { PretrainOptions } from "./msn/pretrain_options.ts";
export {
  type PretrainProgress,
  type PretrainState,
  pretrainStateOfTensors,
  pretrainStateToTensors,
  type StepSums,
} from "./msn/pretrain_state.ts";
export type { PrototypeReport, PrototypeUsageState } from "./msn/monitor/prototype_usage.ts";
export type { PretrainStart } from "./msn/start_networks.ts";
export type { FinetuneRecord, HeldOutValidation } from "./finetune/training_record.ts";
export type { TrainingSet } from "./training_set.ts";
export {
  type FinetuneProgress,
  type FinetuneState,
  finetuneStateOfTensors,
  finetuneStateToTensors,
} from "./finetune/training_state.ts";
export type { TuneMode } from "./tune.ts";
export { tuneText } from "./finetune/tune_text.ts";
