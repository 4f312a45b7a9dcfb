/**
 * Models of the Hugging Face hub on hosts with files: {@linkcode downloadModel} downloads one into the cache
 * of the command line, {@linkcode readCheckpoint} reads its weights, as they are. To run a model, use
 * `ViTMSNModel.fromPretrained` of the main export, which runs in browsers and Workers, too.
 *
 * @module
 */

export type { PytorchState } from "../checkpoint/pytorch.ts";
export type { Tensors } from "../checkpoint/safetensors.ts";
export type { DataArray, DataType, Tensor } from "../tensor/tensor.ts";
export { cacheFolder, type CacheFolderOptions } from "./cache_folder.ts";
export { DownloadError } from "./download_error.ts";
export { downloadModel } from "./hub.ts";
export { type HubName, parseHubName } from "./hub_name.ts";
export { type DownloadProgress, HUB, type HubOptions } from "./hub_options.ts";
export { MissingFileError } from "./missing_file_error.ts";
export { type Checkpoint, readCheckpoint } from "./read_checkpoint.ts";
export { type ModelFiles, readModelFiles } from "./read_model_files.ts";
export type { WeightsFile } from "./read_weights.ts";
