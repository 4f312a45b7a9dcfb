// One reader per message of onnx.proto. The file is long because all of them share the limit on parts and
// the errors for a malformed file.

import { PbfReader } from "pbf";
import { concat } from "@std/bytes/concat";
import { plainBytes } from "../tensor/plain_bytes.ts";
import {
  bytesPerElement,
  type DataType,
  elementCount,
  type Tensor,
  tensorFromBytes,
} from "../tensor/tensor.ts";
import {
  ATTRIBUTE_TYPES,
  type AttributeProto,
  ELEMENT_TYPES,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "./model_proto.ts";

/** Protobuf's wire type for strings, messages and packed lists. */
const LENGTH_DELIMITED = 2;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const DATA_TYPES = new Map(
  Object.entries(ELEMENT_TYPES).map(([dtype, number]) => [number, dtype as DataType]),
);

const ATTRIBUTE_TYPE_NAMES = new Map(
  Object.entries(ATTRIBUTE_TYPES).map(([name, number]) => [number, name as AttributeProto["type"]]),
);

/**
 * The maximum number of nodes, names, attributes, weights, dimensions and so on in a file: ten times
 * what the largest ViT needs. Each becomes an object of a few hundred bytes, but may take only two bytes
 * in the file.
 */
export const MAX_PARTS = 250_000;

/** The number of parts that each reader has read. */
const parts = new WeakMap<PbfReader, number>();

function countParts(pbf: PbfReader, count = 1): void {
  const total = parts.get(pbf)! + count;
  if (total > MAX_PARTS) {
    fail(`it has more than ${MAX_PARTS} parts`);
  }
  parts.set(pbf, total);
}

/**
 * Reads an ONNX file. Weights are views of `bytes`; misaligned ones are copied when first read.
 * Attributes and weights with unsupported types, such as 4-bit integers, are dropped, so a model from
 * another tool must not be written back.
 *
 * @throws {SyntaxError} if the bytes are not an ONNX model, or the model has external weights, functions,
 * sub-graphs, sparse weights or more than {@linkcode MAX_PARTS} parts.
 */
export function readModel(bytes: Uint8Array): ModelProto {
  let model: Mutable<ModelProto> & { graph?: GraphProto };
  try {
    const pbf = new PbfReader(plainBytes(bytes));
    parts.set(pbf, 0);
    model = pbf.readFields(readModelField, emptyModel() as typeof model);
    if (pbf.pos > bytes.length) fail("it is cut off");
  } catch (error) {
    // PbfReader does not check bounds, so damaged bytes raise many kinds of errors.
    throw malformed(
      error instanceof SyntaxError ? error.message : "it is not an ONNX file, or it is damaged",
    );
  }
  if (!(model.irVersion > 0) || !model.graph || model.opsetImport.length === 0) {
    throw malformed("it is not an ONNX file: it has no graph");
  }
  return model;
}

function emptyModel(): Omit<ModelProto, "graph"> {
  return {
    irVersion: 0,
    producerName: "",
    producerVersion: "",
    docString: "",
    opsetImport: [],
    metadataProps: new Map(),
  };
}

function readModelField(tag: number, model: Mutable<ModelProto>, pbf: PbfReader): void {
  if (tag === 1) model.irVersion = pbf.readVarint();
  else if (tag === 2) model.producerName = pbf.readString();
  else if (tag === 3) model.producerVersion = pbf.readString();
  else if (tag === 6) model.docString = pbf.readString();
  else if (tag === 7) {
    // Protobuf's own readers would merge the two.
    if (model.graph) fail("it has two graphs");
    model.graph = readGraph(pbf);
  } else if (tag === 25) fail(NEEDLESS);
  else if (tag === 8) {
    countParts(pbf);
    const opset = pbf.readMessage((tag, opset, pbf) => {
      if (tag === 1) opset.domain = pbf.readString();
      else if (tag === 2) opset.version = pbf.readVarint();
    }, { domain: "", version: 0 });
    (model.opsetImport as { domain: string; version: number }[]).push(opset);
  } else if (tag === 14) {
    countParts(pbf);
    const { key, value } = pbf.readMessage((tag, prop, pbf) => {
      if (tag === 1) prop.key = pbf.readString();
      else if (tag === 2) prop.value = pbf.readString();
    }, { key: "", value: "" });
    (model.metadataProps as Map<string, string>).set(key, value);
  }
}

function readGraph(pbf: PbfReader): GraphProto {
  const graph = {
    name: "",
    nodes: [] as NodeProto[],
    initializers: new Map<string, Tensor>(),
    inputs: [] as ValueInfoProto[],
    outputs: [] as ValueInfoProto[],
  };
  const otherShapes = new Map<string, readonly number[]>();
  pbf.readMessage((tag, graph, pbf) => {
    if (tag === 1) graph.nodes.push(readNode(pbf));
    else if (tag === 2) graph.name = pbf.readString();
    else if (tag === 5) {
      const { name, shape, tensor } = readTensor(pbf);
      if (graph.initializers.has(name) || otherShapes.has(name)) {
        fail(`it has two weights "${name}"`);
      }
      if (tensor) graph.initializers.set(name, tensor);
      else otherShapes.set(name, shape);
    } else if (tag === 15) fail(NEEDLESS);
    else if (tag === 11) graph.inputs.push(readValueInfo(pbf));
    else if (tag === 12) graph.outputs.push(readValueInfo(pbf));
  }, graph);
  return otherShapes.size > 0 ? { ...graph, otherShapes } : graph;
}

function readNode(pbf: PbfReader): NodeProto {
  countParts(pbf);
  const node = {
    name: "",
    opType: "",
    domain: "",
    inputs: [] as string[],
    outputs: [] as string[],
    attributes: new Map<string, AttributeProto>(),
  };
  return pbf.readMessage((tag, node, pbf) => {
    if (tag === 1 || tag === 2) {
      countParts(pbf);
      (tag === 1 ? node.inputs : node.outputs).push(pbf.readString());
    } else if (tag === 3) node.name = pbf.readString();
    else if (tag === 4) node.opType = pbf.readString();
    else if (tag === 5) {
      const { name, attribute } = readAttribute(pbf);
      if (attribute) node.attributes.set(name, attribute);
    } else if (tag === 7) node.domain = pbf.readString();
  }, node);
}

function readAttribute(pbf: PbfReader): { name: string; attribute: AttributeProto | undefined } {
  countParts(pbf);
  const fields = pbf.readMessage((tag, fields, pbf) => {
    if (tag === 1) fields.name = pbf.readString();
    else if (tag === 2) fields.FLOAT = pbf.readFloat();
    else if (tag === 3) fields.INT = pbf.readVarint(true);
    else if (tag === 4) fields.STRING = pbf.readString();
    else if (tag === 5) {
      if (fields.TENSOR !== null) fail(`its attribute has two tensors`);
      fields.TENSOR = readTensor(pbf).tensor;
    } else if (GRAPHS.includes(tag)) {
      fail(NEEDLESS);
    } else if (tag === 7) readList(pbf, fields.FLOATS, () => pbf.readPackedFloat(fields.FLOATS));
    else if (tag === 8) readList(pbf, fields.INTS, () => pbf.readPackedVarint(fields.INTS, true));
    else if (tag === 20) fields.type = pbf.readVarint();
  }, {
    name: "",
    type: 0,
    FLOAT: 0,
    INT: 0,
    STRING: "",
    TENSOR: null as Tensor | undefined | null,
    FLOATS: [] as number[],
    INTS: [] as number[],
  });
  const type = ATTRIBUTE_TYPE_NAMES.get(fields.type);
  const value = type && fields[type];
  const isKnown = type !== undefined && value !== undefined && value !== null;
  return { name: fields.name, attribute: isKnown ? { type, value } as AttributeProto : undefined };
}

/** An AttributeProto's `g`, `graphs`, `sparse_tensor` and `sparse_tensors`. */
const GRAPHS: readonly number[] = [6, 11, 22, 23];

/** Reads a list's numbers and counts them as parts. */
function readList(pbf: PbfReader, list: readonly number[], read: () => void): void {
  if (pbf.type === LENGTH_DELIMITED) {
    const start = pbf.pos;
    const bytes = pbf.readVarint();
    pbf.pos = start;
    // A number takes at most ten bytes. Checked first, so that a huge list is never read.
    if (bytes > 10 * MAX_PARTS) countParts(pbf, Math.ceil(bytes / 10));
  }
  const before = list.length;
  read();
  countParts(pbf, list.length - before);
}

/** Reads a tensor; `tensor` is `undefined` if its element type is not supported. */
function readTensor(
  pbf: PbfReader,
): { name: string; shape: readonly number[]; tensor: Tensor | undefined } {
  countParts(pbf);
  const start = pbf.pos;
  const fields = pbf.readMessage((tag, fields, pbf) => {
    if (tag === 1) {
      readList(pbf, fields.shape, () => pbf.readPackedVarint(fields.shape, true));
    } else if (tag === 2) fields.dataType = pbf.readVarint();
    else if (tag === 4) fields.floats.push(listBytes(pbf));
    else if (tag === 5 || tag === 7) fields.integers.push(listBytes(pbf));
    else if (tag === 8) fields.name = pbf.readString();
    else if (tag === 9) fields.raw = pbf.readBytes();
    else if (tag === 14) fields.external = pbf.readVarint() === 1;
  }, {
    name: "",
    shape: [] as number[],
    dataType: 0,
    floats: [] as Uint8Array[],
    integers: [] as Uint8Array[],
    raw: undefined as Uint8Array | undefined,
    external: false,
  });
  const { name, shape, floats, integers, raw } = fields;
  const dtype = DATA_TYPES.get(fields.dataType);
  if (fields.external) fail(`its tensor "${name}" is in another file`);
  if (shape.some((size) => size < 0)) fail(`the shape of "${name}" is [${shape}]`);
  const count = elementCount(shape);
  const cutOff = () => fail(`its tensor "${name}" is cut off`);
  if (raw && dtype) {
    if (count * bytesPerElement(dtype) !== raw.length) cutOff();
    return { name, shape, tensor: tensorFromBytes(dtype, shape, raw) };
  }
  // No type packs more than two elements into a byte. onnxruntime allocates before it checks the data.
  if (count > 2 * (pbf.pos - start)) cutOff();
  if (raw) return { name, shape, tensor: undefined };
  // Other tools write small tensors as lists of numbers.
  if (dtype === "float32") {
    const bytes = concat(floats);
    if (bytes.length !== 4 * count) cutOff();
    return { name, shape, tensor: tensorFromBytes(dtype, shape, bytes) };
  }
  if (dtype === "int64" || dtype === "int32") {
    const isLong = dtype === "int64";
    const data = isLong ? new BigInt64Array(count) : new Int32Array(count);
    const numbers = new PbfReader(concat(integers));
    let at = 0;
    for (; numbers.pos < numbers.length; at++) {
      const number = numbers.readVarint(true);
      data[at] = isLong ? BigInt(number) : number; // no effect past the end
    }
    if (at !== count) cutOff();
    return { name, shape, tensor: { dtype, shape, data } as Tensor };
  }
  return { name, shape, tensor: undefined };
}

/** Returns the bytes of a packed list, or of a single number. */
function listBytes(pbf: PbfReader): Uint8Array {
  if (pbf.type === LENGTH_DELIMITED) return pbf.readBytes();
  countParts(pbf);
  const start = pbf.pos;
  pbf.skip(pbf.type);
  return pbf.buf.subarray(start, pbf.pos);
}

function readValueInfo(pbf: PbfReader): ValueInfoProto {
  countParts(pbf);
  const fields = {
    name: "",
    dataType: 0,
    shape: [] as (number | string)[],
  };
  pbf.readMessage((tag, value, pbf) => {
    if (tag === 1) value.name = pbf.readString();
    else if (tag === 2) {
      pbf.readMessage((tag, value, pbf) => {
        if (tag === 1) pbf.readMessage(readTensorTypeField, value);
      }, value);
    }
  }, fields);
  const dtype = DATA_TYPES.get(fields.dataType);
  if (!dtype) fail(`its value "${fields.name}" has the type ${fields.dataType}`);
  return { name: fields.name, dtype, shape: fields.shape };
}

function readTensorTypeField(
  tag: number,
  value: { dataType: number; shape: (number | string)[] },
  pbf: PbfReader,
): void {
  if (tag === 1) value.dataType = pbf.readVarint();
  else if (tag === 2) {
    pbf.readMessage((tag, shape, pbf) => {
      if (tag !== 1) return;
      countParts(pbf);
      const { size } = pbf.readMessage((tag, dimension, pbf) => {
        if (tag === 1) dimension.size = pbf.readVarint(true);
        else if (tag === 2) dimension.size = pbf.readString();
      }, { size: "" as number | string });
      shape.push(size);
    }, value.shape);
  }
}

/** No ViT needs these features, and they could hide how much memory a graph needs. */
const NEEDLESS = "it has functions, sub-graphs or sparse weights";

function fail(what: string): never {
  throw new SyntaxError(what);
}

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the ONNX model: ${what}`);
}
