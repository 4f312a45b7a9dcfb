import type { ModelProto } from "../onnx/model_proto.ts";
import { readModel } from "../onnx/read_model.ts";
import { writeModel } from "../onnx/write_model.ts";
import {
  parsePreprocessorConfig,
  type PreprocessorConfig,
} from "../preprocess/preprocessor_config.ts";
import { toBase64 } from "../tensor/base64.ts";
import { plainBytes } from "../tensor/plain_bytes.ts";
import { toFloat32 } from "../tensor/float16.ts";
import { tensorBytes } from "../tensor/tensor.ts";
import { parseConfig, type ViTMSNConfig } from "./config.ts";
import { buildGraph, type OutputName } from "./graph.ts";
import { headMetadata, isOfHead, readHead, readLayerNorm } from "./head/head_file.ts";
import type { HeadParameters } from "./head/head_parameters.ts";
import type { LayerNormWeights } from "./layer_norm.ts";
import { type OwnGraph, verifyGraph } from "./verify/own_graph.ts";
import { ownModelProto } from "./verify/own_model_proto.ts";
import { quantize, type WeightDataType } from "./quantize.ts";
import { MASK_TOKEN, type ViTMSNWeights } from "./weights.ts";

/** The documents beside an ONNX file of another tool, which does not carry them, as parsed JSON. */
export interface Sidecars {
  /** `config.json` */
  readonly config?: unknown;
  /** `preprocessor_config.json` */
  readonly preprocessorConfig?: unknown;
}

/** A model's ONNX file, read once: all that engines, heads and commands need of it. */
export interface ModelFile {
  /** The file itself; weights in `proto` are views of it. */
  readonly bytes: Uint8Array;
  /** The parsed file, with its graph. */
  readonly proto: ModelProto;
  /** The documents, as JSON: the file's own, else those that were beside it. */
  readonly documents: Required<Sidecars>;
  /** The parsed `config.json`. */
  readonly config: ViTMSNConfig;
  /** The parsed `preprocessor_config.json`. */
  readonly preprocessorConfig: PreprocessorConfig;
  /** The names of what the graph computes: `last_hidden_state` and, with a classifier, `logits`. */
  readonly outputs: readonly string[];
  /** The final LayerNorm, under the name that `deno task convert` gives it. */
  readonly layerNorm?: LayerNormWeights;
  /** A head that was fitted on features, if it is the classifier. */
  readonly head?: HeadParameters;
  /** The verified weights of a graph that this project writes, or why it is another one. */
  readonly own: OwnGraph;
}

/** What a model needs of its file beside a session: all but the weights of the backbone. */
export type ModelDescription = Pick<
  ModelFile,
  "config" | "preprocessorConfig" | "outputs" | "layerNorm" | "head"
>;

/** The keys of `metadata_props`: the files of a Hugging Face model folder that they hold. */
const CONFIG = "config.json";
const PREPROCESSOR_CONFIG = "preprocessor_config.json";

/**
 * Writes weights, config, labels and image processor as one ONNX file that other ONNX tools run too.
 *
 * @param config the parsed `config.json`; it is kept whole, with what this project does not read.
 * @param preprocessorConfig the parsed `preprocessor_config.json`.
 * @param weights as `toWeights` gives them for that config.
 * @param outputs what the graph computes; see {@linkcode buildGraph}.
 * @returns the file in pieces, in order.
 * @throws {TypeError} if a config cannot be used, or `logits` is asked for without a classifier.
 */
export function writeModelFile(
  config: unknown,
  preprocessorConfig: unknown,
  weights: ViTMSNWeights,
  dtype: WeightDataType,
  outputs?: readonly OutputName[],
): Uint8Array[] {
  parsePreprocessorConfig(preprocessorConfig);
  const metadataProps = new Map([
    [CONFIG, JSON.stringify(config)],
    [PREPROCESSOR_CONFIG, JSON.stringify(preprocessorConfig)],
  ]);
  // The plain graph does not use it, and ONNX tools warn of a weight that no node uses.
  const maskToken = weights.get(MASK_TOKEN);
  if (maskToken) {
    metadataProps.set(MASK_TOKEN, toBase64(tensorBytes(toFloat32(maskToken))));
  }
  const variant = outputs ? { outputs } : {};
  const graph = buildGraph(parseConfig(config), quantize(weights, dtype), variant);
  return writeModel(ownModelProto(graph, metadataProps));
}

/**
 * The same model with a head as its classifier, in place of one that it has. Its config's labels become
 * the head's.
 *
 * @param model a file of {@linkcode writeModelFile}, or of this function; or its bytes.
 * @throws {SyntaxError} if the bytes are not an ONNX model.
 * @throws {TypeError} if `deno task convert` did not make it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { concat } from "@std/bytes/concat";
 * import { fitHead, loadModel } from "../mod.ts";
 * import { readModelFile, writeModelWithHead } from "./model_file.ts";
 *
 * const file = readModelFile(await Deno.readFile("functions/_shared/model.onnx"));
 * await using backbone = await loadModel(file.bytes);
 * const photos = await Promise.all(["dog", "ship"].map((name) => Deno.readFile(`test/images/${name}.jpg`)));
 * const features = await backbone.features(photos);
 * const { head } = fitHead({ features, labels: ["animal", "vehicle"] }, { method: "prototypes" });
 * const mine = readModelFile(concat(writeModelWithHead(file, head.parameters)));
 * assertEquals(mine.config.id2label, ["animal", "vehicle"]);
 * ```
 */
export function writeModelWithHead(
  model: ModelFile | Uint8Array,
  head: HeadParameters,
): Uint8Array[] {
  const file = model instanceof Uint8Array ? readModelFile(model) : model;
  const weights = verifiedWeights(file);
  const { proto, documents } = file;
  const backbone = new Map([...weights].filter(([name]) => !name.startsWith("classifier.")));
  const { labels } = head.settings;
  const config = {
    ...documents.config as object,
    architectures: ["ViTMSNForImageClassification"],
    num_labels: labels.length,
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    problem_type: "single_label_classification",
  };
  const graph = buildGraph({ ...file.config, id2label: labels }, backbone, {
    outputs: ["last_hidden_state", "logits"],
  }, head);
  const metadataProps = new Map([
    ...[...proto.metadataProps].filter(([name]) => !isOfHead(name)),
    [CONFIG, JSON.stringify(config)],
    ...headMetadata(head, graph),
  ]);
  return writeModel({ ...proto, metadataProps, graph });
}

/**
 * The weights of a graph that this project writes.
 *
 * @throws {TypeError} if the file has another graph; the message says what is different.
 */
export function verifiedWeights({ own }: Pick<ModelFile, "own">): ViTMSNWeights {
  if ("weights" in own) return own.weights;
  throw new TypeError(`Cannot use the ONNX model: ${own.reason}`);
}

/**
 * Reads a model's ONNX file, whoever made it.
 *
 * @param sidecars what to go by where the file carries no config or image processor itself.
 * @throws {SyntaxError} if the bytes are not an ONNX model, there is no config or image processor, or the
 * graph has other inputs than `pixel_values`.
 * @throws {TypeError} if a config in it cannot be used.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readModelFile } from "./model_file.ts";
 *
 * const { config } = readModelFile(await Deno.readFile("functions/_shared/model.onnx"));
 * assertEquals([config.hiddenSize, config.imageSize], [192, [32, 32]]);
 * ```
 */
export function readModelFile(bytes: Uint8Array, sidecars?: Sidecars): ModelFile {
  return toModelFile(bytes, readModel(bytes), sidecars);
}

/**
 * The same for a file that is parsed already.
 *
 * @param proto what {@linkcode readModel} gives of `bytes`.
 */
export function toModelFile(
  bytes: Uint8Array,
  proto: ModelProto,
  sidecars: Sidecars = {},
): ModelFile {
  const { inputs, outputs, initializers } = proto.graph;
  // Older tools list weights among the inputs.
  const names = inputs.map(({ name }) => name).filter((name) => !initializers.has(name));
  if (names.join() !== "pixel_values") {
    throw new SyntaxError(`Cannot use the ONNX model: its inputs are ${names}, not pixel_values`);
  }
  const ownConfig = parseMetadata(proto.metadataProps, CONFIG);
  const configJson = ownConfig ?? sidecars.config ?? missing(CONFIG);
  const config = parseConfig(configJson);
  const preprocessorConfig = parseMetadata(proto.metadataProps, PREPROCESSOR_CONFIG) ??
    sidecars.preprocessorConfig ??
    missing(PREPROCESSOR_CONFIG);
  const layerNorm = readLayerNorm(proto);
  const head = readHead(proto, config.hiddenSize);
  if (head && head.settings.labels.join("\n") !== config.id2label.join("\n")) {
    throw new TypeError("Cannot use the ONNX model: its head has other labels than its config");
  }
  return {
    bytes: plainBytes(bytes),
    proto,
    documents: { config: configJson, preprocessorConfig },
    config,
    preprocessorConfig: parsePreprocessorConfig(preprocessorConfig),
    outputs: outputs.map(({ name }) => name),
    ...(layerNorm ? { layerNorm } : {}),
    ...(head ? { head } : {}),
    own: ownConfig === undefined
      ? { reason: "another tool made it" }
      : verifyGraph(proto, config, head),
  };
}

/** Whether an ONNX file carries its config itself. */
export function hasOwnConfig({ metadataProps }: ModelProto): boolean {
  return metadataProps.has(CONFIG);
}

/** Whether an ONNX file carries config and image processor itself. */
export function isSelfContained(proto: ModelProto): boolean {
  return hasOwnConfig(proto) && proto.metadataProps.has(PREPROCESSOR_CONFIG);
}

function missing(document: string): never {
  throw new SyntaxError(
    `Cannot use the ONNX model: it carries no ${document}, and none is beside it; ` +
      "`deno task convert` makes a model of a checkpoint",
  );
}

function parseMetadata(metadataProps: ModelProto["metadataProps"], key: string): unknown {
  const text = metadataProps.get(key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError(`Cannot use the ONNX model: the ${key} in it is not JSON`);
  }
}
