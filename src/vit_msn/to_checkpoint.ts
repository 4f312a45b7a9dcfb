import { writeSafetensors } from "../checkpoint/safetensors.ts";
import { toFloat32 } from "../tensor/float16.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { toLinearClassifier } from "./head/linear_classifier.ts";
import { type ModelFile, verifiedWeights } from "./model_file.ts";
import { hasClassifier, type ViTMSNWeights } from "./weights.ts";

/** A model as Hugging Face's files have it. */
export interface HuggingFaceCheckpoint {
  /** `config.json` */
  readonly config: Readonly<Record<string, unknown>>;
  /** `preprocessor_config.json` */
  readonly preprocessorConfig: Readonly<Record<string, unknown>>;
  /** The weights under the names of the released files, with the prefix `vit.` beside a classifier. */
  readonly tensors: ReadonlyMap<string, Tensor<"float32">>;
}

/** The name of the weights' file, by which an earlier export is recognised. */
export const WEIGHTS_FILE = "model.safetensors";

/** The safetensors metadata: transformers requires `format`, and `producer` marks files of this project. */
const METADATA = { format: "pt", producer: "vit-msn-edge" };

/** How the safetensors header of an exported file begins, after its 8 bytes of length. */
const HEADER_START = `{"__metadata__":${JSON.stringify(METADATA)},`;

/**
 * Converts a model to Hugging Face's format, the opposite of `deno task convert`: for
 * `ViTMSNForImageClassification.from_pretrained` with a classifier, for `ViTMSNModel` without one. All weights
 * become float32, which changes no float16 number. The documents are kept whole; only what contradicts the
 * weights is changed: `architectures` and the data type.
 *
 * A head becomes the classifier, see {@linkcode toLinearClassifier}; its rule for unknown images is left out,
 * because the format has no place for it.
 *
 * @throws {TypeError} if this project did not write the graph, the weights are int8, or the head is `knn`.
 * @throws {RangeError} if the head has no exact linear classifier.
 */
export function toCheckpoint(file: ModelFile): HuggingFaceCheckpoint {
  const weights = verifiedWeights(file);
  assertNotRounded(weights);
  const { documents, head, layerNorm } = file;
  const tensors = new Map<string, Tensor<"float32">>();
  const isClassifier = head !== undefined || hasClassifier(weights);
  for (const [name, tensor] of weights) {
    if (name.startsWith("classifier.")) {
      if (!head) tensors.set(name, toFloat32(tensor));
    } else tensors.set(isClassifier ? `vit.${name}` : name, toFloat32(tensor));
  }
  if (head) {
    const { weight, bias } = toLinearClassifier(head, layerNorm!);
    tensors.set("classifier.weight", weight).set("classifier.bias", bias);
  }
  return {
    config: exportedConfig(documents.config as Record<string, unknown>, isClassifier),
    preprocessorConfig: exportedProcessor(documents.preprocessorConfig as Record<string, unknown>),
    tensors,
  };
}

/**
 * The files of a checkpoint: each file's pieces, in order, by its name. The weights come first.
 *
 * @param checkpoint its `tensors` must not be empty.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkpointFiles } from "./to_checkpoint.ts";
 *
 * const bias = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } as const;
 * const tensors = new Map([["layernorm.bias", bias]]);
 * const files = checkpointFiles({ config: {}, preprocessorConfig: {}, tensors });
 * assertEquals([...files.keys()], [
 *   "model.safetensors",
 *   "config.json",
 *   "preprocessor_config.json",
 * ]);
 * ```
 */
export function checkpointFiles(
  { config, preprocessorConfig, tensors }: HuggingFaceCheckpoint,
): Map<string, Uint8Array[]> {
  const json = (document: unknown) => [
    new TextEncoder().encode(JSON.stringify(document, null, 2) + "\n"),
  ];
  return new Map([
    [WEIGHTS_FILE, withMetadata(writeSafetensors(tensors))],
    ["config.json", json(config)],
    ["preprocessor_config.json", json(preprocessorConfig)],
  ]);
}

/** The bytes that {@linkcode isExportedWeights} needs. */
export const EXPORTED_START_BYTES = 8 + HEADER_START.length;

/**
 * Whether {@linkcode checkpointFiles} wrote the weights' file.
 *
 * @param beginning its first {@linkcode EXPORTED_START_BYTES} bytes.
 */
export function isExportedWeights(beginning: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(beginning.subarray(8)).startsWith(HEADER_START);
}

/** @throws {TypeError} if a weight is int8. */
function assertNotRounded(weights: ViTMSNWeights): void {
  if (![...weights.values()].some(({ dtype }) => dtype === "int8")) return;
  throw new TypeError(
    "Cannot export the model: its weights are rounded to int8; export the f32 or f16 file of the same model, " +
      "which `deno task convert` writes, or fit the head on that with `deno task fit … --model`",
  );
}

function exportedConfig(
  config: Readonly<Record<string, unknown>>,
  isClassifier: boolean,
): Record<string, unknown> {
  const exported: Record<string, unknown> = {
    ...config,
    architectures: [isClassifier ? "ViTMSNForImageClassification" : "ViTMSNModel"],
  };
  // Its old and its new name; transformers loads the weights in this type.
  for (const name of ["torch_dtype", "dtype"]) {
    if (name in exported) exported[name] = "float32";
  }
  return exported;
}

/** `AutoImageProcessor` chooses the class by `image_processor_type`, or its name in older files. */
function exportedProcessor(
  processor: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const isTyped = "image_processor_type" in processor || "feature_extractor_type" in processor;
  return { ...(isTyped ? {} : { image_processor_type: "ViTImageProcessor" }), ...processor };
}

/** Adds metadata to the header of a safetensors file, which stays padded to a multiple of 8 bytes. */
function withMetadata(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = 8 + Number(view.getBigUint64(0, true));
  const rest = file.subarray(9, end); // all but the brace that HEADER_START has
  const padding = -(HEADER_START.length + rest.length) & 7;
  const start = new Uint8Array(8 + HEADER_START.length);
  const length = HEADER_START.length + rest.length + padding;
  new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
  new TextEncoder().encodeInto(HEADER_START, start.subarray(8));
  return [start, rest, new Uint8Array(padding).fill(0x20), file.subarray(end)];
}
