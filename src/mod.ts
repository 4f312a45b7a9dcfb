/**
 * ViT-MSN image classification and embeddings: {@linkcode decodeImage} makes pixels of an image file,
 * {@linkcode ViTMSNModel.fromPretrained} and {@linkcode loadModel} make a model, and the model names what is on the pixels or
 * embeds them. {@linkcode fitHead} makes a classifier of the features of a few pictures a class.
 *
 * @module
 */

export { addToHead } from "./heads/fit/add_to_head.ts";
export { type ReliabilityBin } from "./heads/evaluate/calibration_error.ts";
export { type ConfidenceInterval } from "./heads/evaluate/confidence_interval.ts";
export {
  type ClassEvaluation,
  evaluateHead,
  evaluateLogits,
  type HeadEvaluation,
} from "./heads/evaluate/evaluate.ts";
export {
  evaluateShots,
  type ShotsEvaluation,
  type ShotsOptions,
} from "./heads/evaluate/evaluate_shots.ts";
export { type CandidateReport, fitHead, type FitReport } from "./heads/fit/fit_head.ts";
export type { FitOptions, LabelledFeatures } from "./heads/fit/fit_options.ts";
export { type Features } from "./heads/feature_rows.ts";
export { type GuessingComparison } from "./heads/evaluate/guessing.ts";
export { Head } from "./heads/head.ts";
export { HEAD_METHODS, type HeadCandidate, type HeadMethod } from "./heads/fit/method.ts";
export { attentionBytes } from "./model/attention/attention_bytes.ts";
export { type AttentionJson, attentionJson } from "./model/attention/attention_json.ts";
export {
  type AttentionChoice,
  type AttentionMap,
  attentionMap,
} from "./model/attention/attention_map.ts";
export { computeAttentions } from "./model/attention/compute_attentions.ts";
export { type ImageAttentions } from "./model/attention/image_attentions.ts";
export { overlayAttention, type OverlayOptions } from "./model/attention/overlay_attention.ts";
export { tensorAttentions } from "./model/attention/tensor_attentions.ts";
export {
  type Classification,
  type ClassificationOptions,
  type FunctionToApply,
} from "./model/outputs/classification.ts";
export { type Pooling } from "./model/outputs/pool.ts";
export {
  type ImageClassificationPipeline,
  type ImageClassificationPipelineOptions,
} from "./model/pipeline/image_classification.ts";
export {
  type ImageFeatureExtractionPipeline,
  type ImageFeatureExtractionPipelineOptions,
} from "./model/pipeline/image_feature_extraction.ts";
export {
  type ModelSource,
  type OpenOptions,
  type PipelineProgress,
} from "./model/pipeline/open_model.ts";
export {
  pipeline,
  type PipelineOptions,
  type Pipelines,
  type PipelineTask,
} from "./model/pipeline/pipeline.ts";
export { type PipelineBase, type PipelineImageOptions } from "./model/pipeline/pipeline_base.ts";
export { type NestedNumbers, PipelineTensor } from "./model/pipeline/pipeline_tensor.ts";
export { type ClassWeight } from "./heads/fit/samples.ts";
export { type UnknownReport } from "./heads/fit/unknown.ts";
export { DownloadError } from "./hub/download_error.ts";
export { type DownloadProgress } from "./hub/hub_options.ts";
export { MissingFileError } from "./hub/missing_file_error.ts";
export { decodeImage } from "./image/decode_image.ts";
export type { DecodeMode, DecodeOptions } from "./image/decode_options.ts";
export { type RawImage } from "./image/raw_image.ts";
export { ImageDecodeError } from "./image/image_decode_error.ts";
export { ImageDecoder, type ImageDecoderOptions } from "./image/image_decoder.ts";
export { type ExifOrientation } from "./image/formats/exif.ts";
export { type ImageFormat } from "./image/formats/image_format.ts";
export { DEFAULT_IMAGE_LIMITS, type ImageHeader, type ImageLimits } from "./image/image_header.ts";
export {
  type ByteSource,
  type DrawableSource,
  type GlobalInstance,
  type ImageSource,
  type ImageSourceOptions,
  type PixelSource,
} from "./image/image_source.ts";
export { toRawImage } from "./image/to_raw_image.ts";
export { readImageHeader } from "./image/read_image_header.ts";
export { writePng } from "./image/write_png.ts";
export { type Resampling } from "./image/transform/resampling.ts";
export { resize } from "./image/transform/resize.ts";
export {
  createClassifier,
  createModel,
  type CreateOptions,
  loadClassifier,
  loadModel,
  type LoadOptions,
} from "./model/load_model.ts";
export { type PretrainedOptions } from "./model/pretrained/pretrained_options.ts";
export {
  type ClassifyOptions,
  type EmbedOptions,
  type ForwardOptions,
  type ImageInput,
  type ImageInputOptions,
  type ReadImages,
  ViTMSNForImageClassification,
  ViTMSNModel,
} from "./model/vit_msn_model.ts";
export {
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "./onnx/model_proto.ts";
export {
  parsePreprocessorConfig,
  type PreprocessorConfig,
  type ProcessorSize,
} from "./preprocess/preprocessor_config.ts";
export { type Box } from "./preprocess/seen_box.ts";
export { ViTImageProcessor } from "./preprocess/vit_image_processor.ts";
export { bestBuild, type DotProduct, type SimdBuild } from "./runtime/simd/kernels.ts";
export { type SimdOptions, simdRuntime } from "./runtime/simd/runtime.ts";
export { type CreateWorker } from "./runtime/simd/thread_pool.ts";
export {
  type NamedTensors,
  type RunOptions,
  type Runtime,
  type Session,
} from "./runtime/runtime.ts";
export { type DataArray, type DataType, type Tensor } from "./tensor/tensor.ts";
export { rowsOf } from "./tensor/rows_of.ts";
export { type ForwardInputs } from "./vit_msn/forward_inputs.ts";
export { type OutputName } from "./vit_msn/graph.ts";
export { type HiddenActivation, type ProblemType, type ViTMSNConfig } from "./vit_msn/config.ts";
export { type HeadFile, readHeadFile, writeHeadFile } from "./vit_msn/head/head_file.ts";
export {
  type HeadParameters,
  type HeadSettings,
  type HeadTensors,
  type UnknownRule,
} from "./vit_msn/head/head_parameters.ts";
export { type LayerNormWeights } from "./vit_msn/layer_norm.ts";
export { type KeepOptions } from "./vit_msn/patch_dropping.ts";
export {
  type ModelDescription,
  type ModelFile,
  readModelFile,
  type Sidecars,
  writeModelWithHead,
} from "./vit_msn/model_file.ts";
export { type WeightDataType } from "./vit_msn/quantize.ts";
export { type OwnGraph } from "./vit_msn/verify/own_graph.ts";
export { type ViTMSNWeights } from "./vit_msn/weights.ts";
