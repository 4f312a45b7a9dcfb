import type { GraphProto, ModelProto } from "../../onnx/model_proto.ts";
import { readModel } from "../../onnx/read_model.ts";
import { writeModel } from "../../onnx/write_model.ts";
import { fromBase64, toBase64 } from "../../tensor/base64.ts";
import { toFloat32 } from "../../tensor/float16.ts";
import { elementCount, type Tensor, tensorBytes, tensorFromBytes } from "../../tensor/tensor.ts";
import { buildHeadGraph, headTensorName } from "./head_graph.ts";
import { HEAD_TENSORS, type HeadParameters, parseHead } from "./head_parameters.ts";
import type { LayerNormWeights } from "../layer_norm.ts";
import { ownModelProto } from "../verify/own_model_proto.ts";

/** The content of a head file: the head, and the final LayerNorm of the backbone that it was fitted on. */
export interface HeadFile {
  /** The head. */
  readonly head: HeadParameters;
  /** [D] each; it identifies the backbone, because a head only fits the backbone that it was fitted on. */
  readonly layerNorm: LayerNormWeights;
}

/** The key of `metadata_props` for the head's settings, as JSON. */
const SETTINGS = "head.json";
const WEIGHT = "layernorm.weight";
const BIAS = "layernorm.bias";

/** Whether a key of `metadata_props` belongs to a head. */
export function isOfHead(key: string): boolean {
  return key === SETTINGS || HEAD_TENSORS.some((name) => key === headTensorName(name));
}

/** The `metadata_props` of a head: its settings, and the tensors that its graph does not contain. */
export function headMetadata(
  { settings, tensors }: HeadParameters,
  { initializers }: GraphProto,
): Map<string, string> {
  const metadata = new Map([[SETTINGS, JSON.stringify(settings)]]);
  for (const name of HEAD_TENSORS) {
    const tensor = tensors[name];
    const key = headTensorName(name);
    if (tensor && !initializers.has(key)) metadata.set(key, toText(tensor));
  }
  return metadata;
}

/**
 * Reads the head of a model file.
 *
 * @param hiddenSize D of the backbone.
 * @returns undefined if the file has no head.
 * @throws {TypeError} if the head is invalid.
 */
export function readHead(
  { graph, metadataProps }: Pick<ModelProto, "graph" | "metadataProps">,
  hiddenSize: number,
): HeadParameters | undefined {
  const text = metadataProps.get(SETTINGS);
  if (text === undefined) return undefined;
  const tensors = new Map<string, Tensor>();
  for (const name of HEAD_TENSORS) {
    const key = headTensorName(name);
    const tensor = graph.initializers.get(key) ?? fromText(metadataProps.get(key));
    if (tensor) tensors.set(name, tensor);
  }
  return parseHead(parseJson(text), tensors, hiddenSize);
}

/** Reads the final LayerNorm of a model file; undefined if another tool named the weights. */
export function readLayerNorm(
  { graph: { initializers }, metadataProps }: Pick<ModelProto, "graph" | "metadataProps">,
): LayerNormWeights | undefined {
  const [weight, bias] = [WEIGHT, BIAS].map((name) =>
    initializers.get(name) ?? fromText(metadataProps.get(name))
  );
  if (!weight || !bias) return undefined;
  return { weight: toFloat32(weight).data, bias: toFloat32(bias).data };
}

/**
 * Writes a head file: an ONNX graph from `last_hidden_state` to `logits`, a few kilobytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { concat } from "@std/bytes/concat";
 * import { fitHead } from "../../heads/fit/fit_head.ts";
 * import { readHeadFile, writeHeadFile } from "./head_file.ts";
 *
 * const support = {
 *   features: [Float32Array.of(1, 0), Float32Array.of(0, 1)],
 *   labels: ["east", "north"],
 * };
 * const { head } = fitHead(support, { method: "prototypes" });
 * const layerNorm = { weight: Float32Array.of(1, 1), bias: Float32Array.of(0, 0) };
 * const file = concat(writeHeadFile({ head: head.parameters, layerNorm }));
 * assertEquals(readHeadFile(file).head.settings.labels, ["east", "north"]);
 * ```
 */
export function writeHeadFile({ head, layerNorm }: HeadFile): Uint8Array[] {
  const graph = buildHeadGraph(head, layerNorm);
  const { weight } = layerNorm;
  const metadataProps = new Map([
    ...headMetadata(head, graph),
    // The graph only contains its inverse.
    [WEIGHT, toText({ dtype: "float32", shape: [weight.length], data: weight })],
  ]);
  return writeModel(ownModelProto(graph, metadataProps));
}

/**
 * Reads a head file that {@linkcode writeHeadFile} wrote.
 *
 * @throws {SyntaxError} if the bytes are not an ONNX model.
 * @throws {TypeError} if the model is not a head file, or the head is invalid.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { readHeadFile } from "./head_file.ts";
 *
 * assertThrows(() => readHeadFile(Uint8Array.of(1, 2, 3)), SyntaxError);
 * ```
 */
export function readHeadFile(bytes: Uint8Array): HeadFile {
  const model = readModel(bytes);
  const layerNorm = readLayerNorm(model);
  const head = layerNorm && readHead(model, layerNorm.bias.length);
  if (head) return { head, layerNorm };
  throw new TypeError(
    "Cannot use the head: the ONNX file was not written by `deno task fit … --head-only FILE`",
  );
}

/** Encodes a tensor as its shape in JSON, a space, and its bytes in base64: `[2] AACAPwAAgD8=`. */
function toText(tensor: Tensor): string {
  return `${JSON.stringify(tensor.shape)} ${toBase64(tensorBytes(tensor))}`;
}

function fromText(text: string | undefined): Tensor<"float32"> | undefined {
  if (text === undefined) return undefined;
  const [shape, data] = text.split(" ");
  try {
    const sizes = JSON.parse(shape!) as number[];
    const bytes = fromBase64(data!);
    if (4 * elementCount(sizes) !== bytes.length) throw new RangeError();
    return tensorFromBytes("float32", sizes, bytes) as Tensor<"float32">;
  } catch {
    throw new TypeError("Cannot use the model's head: one of its tensors cannot be read");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError(`Cannot use the model's head: its ${SETTINGS} is not JSON`);
  }
}
