import type { GraphProto, ModelProto } from "../onnx/model_proto.ts";
import { readModel } from "../onnx/read_model.ts";
import { writeModel } from "../onnx/write_model.ts";
import {
  parsePreprocessorConfig,
  type PreprocessorConfig,
} from "../preprocess/preprocessor_config.ts";
import { fromBase64, toBase64 } from "../tensor/base64.ts";
import { toFloat32 } from "../tensor/float16.ts";
import {
  type DataType,
  elementCount,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from "../tensor/tensor.ts";
import { parseConfig, type ViTMSNConfig } from "./config.ts";
import { buildGraph, type GraphVariant, OUTPUT_NAMES, type OutputName } from "./graph.ts";
import { headMetadata, isOfHead, readHead, readLayerNorm } from "./head_file.ts";
import type { HeadParameters } from "./head_parameters.ts";
import type { LayerNorm } from "./layer_norm.ts";
import { ownModelProto } from "./own_model_proto.ts";
import { quantize, scaleName, storedTypes, type WeightDataType } from "./quantize.ts";
import { hasClassifier, MASK_TOKEN, NO_MASK_TOKEN, type Weights, weightShapes } from "./weights.ts";

/** A model as it is kept in one `.onnx` file, but for its graph and weights. */
export interface ModelFile {
  readonly config: ViTMSNConfig;
  readonly preprocessorConfig: PreprocessorConfig;
  /** The names of what the graph computes: `last_hidden_state` and, with a classifier, `logits`. */
  readonly outputs: readonly string[];
  /** The final LayerNorm, under the name that `deno task convert` gives it. */
  readonly layerNorm?: LayerNorm;
  /** A head that was fitted on features, if it is the classifier. */
  readonly head?: HeadParameters;
}

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
  weights: Weights,
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
 * The same model with another graph, made of the weights in the file.
 *
 * @param bytes a file of {@linkcode writeModelFile}.
 * @throws {SyntaxError} if it is none.
 * @throws {TypeError} if it lacks a weight; a mask token for a variant that is `masked`, say.
 */
export function writeVariant(bytes: Uint8Array, variant: GraphVariant): Uint8Array[] {
  const model = readModel(bytes);
  const json = parseMetadata(model.metadataProps, CONFIG);
  if (json === undefined) {
    throw new TypeError(
      "Cannot compute other outputs or take other inputs than the file's graph has: another tool " +
        "made it; `deno task convert` makes one of the checkpoint that does",
    );
  }
  const config = parseConfig(json);
  const weights = readWeights(model.graph, model.metadataProps, config);
  if (variant.masked && !weights.has(MASK_TOKEN)) {
    throw new TypeError(NO_MASK_TOKEN);
  }
  return writeModel({ ...model, graph: buildGraph(config, weights, variant) });
}

/**
 * The same model with a head as its classifier, in place of one that it has. Its config's labels become
 * the head's.
 *
 * @param bytes a file of {@linkcode writeModelFile}, or of this function.
 * @throws {SyntaxError} if the bytes are not an ONNX model.
 * @throws {TypeError} if `deno task convert` did not make it.
 */
export function writeModelWithHead(bytes: Uint8Array, head: HeadParameters): Uint8Array[] {
  const model = readModel(bytes);
  const { config: parsed, weights } = ownModelOf(model);
  const backbone = new Map([...weights].filter(([name]) => !name.startsWith("classifier.")));
  const { labels } = head.settings;
  const config = {
    ...parseMetadata(model.metadataProps, CONFIG) as object,
    architectures: ["ViTMSNForImageClassification"],
    num_labels: labels.length,
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    problem_type: "single_label_classification",
  };
  const graph = buildGraph({ ...parsed, id2label: labels }, backbone, {
    outputs: ["last_hidden_state", "logits"],
  }, head);
  const metadataProps = new Map([
    ...[...model.metadataProps].filter(([name]) => !isOfHead(name)),
    [CONFIG, JSON.stringify(config)],
    ...headMetadata(head, graph),
  ]);
  return writeModel({ ...model, metadataProps, graph });
}

/** What an engine needs that runs the forward itself, without reading the graph. */
export interface OwnModel {
  readonly config: ViTMSNConfig;
  /** Views of the file's bytes; matrices may be float16, or int8 with their scales beside them. */
  readonly weights: Weights;
}

/**
 * Reads the weights of a file of {@linkcode writeModelFile}. Its graph is held against the one that is
 * written today of such weights: what was changed since, or made by another tool, is not taken for it.
 *
 * @throws {SyntaxError} if the bytes are not an ONNX model.
 * @throws {TypeError} if it is no file of this project, or its graph another one, or a weight is
 * missing or has another shape or type.
 */
export function readOwnModel(bytes: Uint8Array): OwnModel {
  return ownModelOf(readModel(bytes));
}

function ownModelOf(model: ModelProto): OwnModel {
  const { graph, metadataProps } = model;
  const json = parseMetadata(metadataProps, CONFIG);
  if (json === undefined) throw new TypeError("Cannot use the ONNX model: another tool made it");
  const config = parseConfig(json);
  const weights = readWeights(graph, metadataProps, config);
  const outputs = OUTPUT_NAMES.filter((name) => graph.outputs.some((o) => o.name === name));
  const head = readHead(model, config.hiddenSize);
  if (!isSameGraph(graph, buildGraph(config, weights, { outputs }, head))) {
    throw new TypeError(
      "Cannot use the ONNX model: its graph is not the one that `deno task convert` writes today; " +
        "convert the checkpoint again",
    );
  }
  return { config, weights };
}

/** Whether two graphs have the same operators on the same values. Small constants are compared, too. */
function isSameGraph(a: GraphProto, b: GraphProto): boolean {
  return textOf(a) === textOf(b);
}

/** The largest tensor that is part of the graph's formulas, not a weight of the model. */
const MAX_CONSTANT = 8;

function textOf({ nodes, initializers, inputs, outputs }: GraphProto): string {
  const constants = [...initializers]
    .filter(([name, { shape }]) =>
      /^(ints|scalar)_|_point$|_token$/.test(name) && elementCount(shape) <= MAX_CONSTANT
    )
    .map(([name, { dtype, shape, data }]) => [name, dtype, shape, Array.from(data, String)])
    .toSorted();
  const operators = nodes.map(({ opType, domain, inputs, outputs, attributes }) => {
    // A file has them in single precision.
    const values = [...attributes].map(([name, { type, value }]) =>
      [name, type, type === "FLOAT" ? Math.fround(value) : value] as const
    );
    return [opType, domain, inputs, outputs, values.toSorted()];
  });
  return JSON.stringify([operators, constants, inputs, outputs]);
}

function readWeights(
  { initializers }: GraphProto,
  metadataProps: ModelProto["metadataProps"],
  config: ViTMSNConfig,
): Weights {
  const weights = new Map<string, Tensor>();
  const add = (name: string, shape: readonly number[], types: readonly DataType[]) => {
    const tensor = initializers.get(name);
    if (!tensor) {
      throw new TypeError(
        `Cannot make another graph of the ONNX model: it has no ${name}; ` +
          "convert the checkpoint again, without --outputs",
      );
    }
    if (tensor.shape.join() !== shape.join() || !types.includes(tensor.dtype)) {
      throw new TypeError(
        `Cannot use the ONNX model: ${name} is ${tensor.dtype} [${tensor.shape}], ` +
          `not ${types.join(" or ")} [${shape}]`,
      );
    }
    weights.set(name, tensor);
    return tensor;
  };
  for (const [name, shape] of weightShapes(config, { classifier: hasClassifier(initializers) })) {
    const { dtype } = add(name, shape, storedTypes(name));
    if (dtype === "int8") add(scaleName(name), shape.slice(0, 1), ["float32"]);
  }
  const maskToken = metadataProps.get(MASK_TOKEN);
  if (maskToken !== undefined) weights.set(MASK_TOKEN, readMaskToken(maskToken, config));
  return weights;
}

function readMaskToken(base64: string, { hiddenSize }: ViTMSNConfig): Tensor {
  try {
    return tensorFromBytes("float32", [1, 1, hiddenSize], fromBase64(base64));
  } catch {
    throw new TypeError(
      `Cannot use the ONNX model: its ${MASK_TOKEN} is not [1, 1, ${hiddenSize}]`,
    );
  }
}

/** The documents beside an ONNX file of another tool, which does not carry them, as parsed JSON. */
export interface Sidecars {
  /** `config.json` */
  readonly config?: unknown;
  /** `preprocessor_config.json` */
  readonly preprocessorConfig?: unknown;
}

/**
 * Reads what an ONNX file says of itself.
 *
 * @param sidecars what to go by where the file carries no config or image processor itself.
 * @throws {SyntaxError} if the bytes are not an ONNX model, there is no config or image processor, or the
 * graph has other inputs than `pixel_values`.
 * @throws {TypeError} if a config in it cannot be used.
 */
export function readModelFile(bytes: Uint8Array, sidecars: Sidecars = {}): ModelFile {
  const model = readModel(bytes);
  const { inputs, outputs, initializers } = model.graph;
  // Older tools list weights among the inputs.
  const names = inputs.map(({ name }) => name).filter((name) => !initializers.has(name));
  if (names.join() !== "pixel_values") {
    throw new SyntaxError(`Cannot use the ONNX model: its inputs are ${names}, not pixel_values`);
  }
  const config = parseConfig(
    parseMetadata(model.metadataProps, CONFIG) ?? sidecars.config ?? missing(CONFIG),
  );
  const preprocessorConfig = parseMetadata(model.metadataProps, PREPROCESSOR_CONFIG) ??
    sidecars.preprocessorConfig ??
    missing(PREPROCESSOR_CONFIG);
  const layerNorm = readLayerNorm(model);
  const head = readHead(model, config.hiddenSize);
  if (head && head.settings.labels.join("\n") !== config.id2label.join("\n")) {
    throw new TypeError("Cannot use the ONNX model: its head has other labels than its config");
  }
  return {
    config,
    preprocessorConfig: parsePreprocessorConfig(preprocessorConfig),
    outputs: outputs.map(({ name }) => name),
    ...(layerNorm ? { layerNorm } : {}),
    ...(head ? { head } : {}),
  };
}

/**
 * Whether an ONNX file carries config and image processor itself.
 *
 * @throws {SyntaxError} if the bytes are not an ONNX model.
 */
export function isSelfContained(bytes: Uint8Array): boolean {
  const { metadataProps } = readModel(bytes);
  return metadataProps.has(CONFIG) && metadataProps.has(PREPROCESSOR_CONFIG);
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
