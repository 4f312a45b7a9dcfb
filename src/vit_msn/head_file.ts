import type { GraphProto, ModelProto } from "../onnx/model_proto.ts";
import { readModel } from "../onnx/read_model.ts";
import { writeModel } from "../onnx/write_model.ts";
import { fromBase64, toBase64 } from "../tensor/base64.ts";
import { toFloat32 } from "../tensor/float16.ts";
import { elementCount, type Tensor, tensorBytes, tensorFromBytes } from "../tensor/tensor.ts";
import { buildHeadGraph, headTensorName } from "./head_graph.ts";
import { HEAD_TENSORS, type HeadParameters, parseHead } from "./head_parameters.ts";
import type { LayerNorm } from "./layer_norm.ts";
import { ownModelProto } from "./own_model_proto.ts";

/** A head by itself, and the LayerNorm of the backbone that it was fitted on. */
export interface HeadFile {
  /** What was fitted. */
  readonly head: HeadParameters;
  /** [D] each; a head is of no use to a backbone with another one. */
  readonly layerNorm: LayerNorm;
}

/** The keys of `metadata_props` that hold a head: its settings, and the tensors that no node uses. */
const SETTINGS = "head.json";
const WEIGHT = "layernorm.weight";
const BIAS = "layernorm.bias";

/** Whether a key of `metadata_props` is of a head. */
export function isOfHead(key: string): boolean {
  return key === SETTINGS || HEAD_TENSORS.some((name) => key === headTensorName(name));
}

/** What `metadata_props` hold of a head, besides the tensors that its graph has. */
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
 * The head that a model's file has.
 *
 * @returns nothing if it has none.
 * @throws {TypeError} if there is one that cannot be used.
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

/** The final LayerNorm of a model's file, if it has this project's names of weights. */
export function readLayerNorm(
  { graph: { initializers }, metadataProps }: Pick<ModelProto, "graph" | "metadataProps">,
): LayerNorm | undefined {
  const [weight, bias] = [WEIGHT, BIAS].map((name) =>
    initializers.get(name) ?? fromText(metadataProps.get(name))
  );
  if (!weight || !bias) return undefined;
  return { weight: toFloat32(weight).data, bias: toFloat32(bias).data };
}

/** Writes a head by itself: a graph from `last_hidden_state` to `logits`, a few kilobytes. */
export function writeHeadFile({ head, layerNorm }: HeadFile): Uint8Array[] {
  const graph = buildHeadGraph(head, layerNorm);
  const { weight } = layerNorm;
  const metadataProps = new Map([
    ...headMetadata(head, graph),
    // The graph has its inverse.
    [WEIGHT, toText({ dtype: "float32", shape: [weight.length], data: weight })],
  ]);
  return writeModel(ownModelProto(graph, metadataProps));
}

/**
 * Reads a file of {@linkcode writeHeadFile}.
 *
 * @throws {SyntaxError} if the bytes are not an ONNX model.
 * @throws {TypeError} if it is no head, or one that cannot be used.
 */
export function readHeadFile(bytes: Uint8Array): HeadFile {
  const model = readModel(bytes);
  const layerNorm = readLayerNorm(model);
  const head = layerNorm && readHead(model, layerNorm.bias.length);
  if (head) return { head, layerNorm };
  throw new TypeError(
    "Cannot use the head: the ONNX file is none of `deno task fit … --head-only FILE`",
  );
}

/** Shape and numbers: `[2,3]` in JSON, a space, and base64. */
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
    throw new TypeError("Cannot use the model's head: a tensor of it cannot be read");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError(`Cannot use the model's head: its ${SETTINGS} is not JSON`);
  }
}
