import { PbfReader } from "pbf";
import {
  bytesPerElement,
  type DataType,
  elementCount,
  type Tensor,
  tensorFromBytes,
} from "../tensor/tensor.ts";
import {
  type Attribute,
  ATTRIBUTE_TYPES,
  ELEMENT_TYPES,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfo,
} from "./model_proto.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const DATA_TYPES = new Map(
  Object.entries(ELEMENT_TYPES).map(([dtype, number]) => [number, dtype as DataType]),
);

const ATTRIBUTE_TYPE_NAMES = new Map(
  Object.entries(ATTRIBUTE_TYPES).map(([name, number]) => [number, name as Attribute["type"]]),
);

/**
 * Reads an ONNX file. Weights are views of `bytes` wherever their alignment allows it. Attributes and
 * weights of types that this project has no use for (lists of floats, sub-graphs, 4-bit integers) are
 * left out: a model of another tool is not to be written again.
 *
 * @throws {SyntaxError} if the bytes are not an ONNX model, or one that keeps its weights in other files.
 */
export function readModel(bytes: Uint8Array): ModelProto {
  let model: Mutable<ModelProto> & { graph?: GraphProto };
  try {
    const pbf = new PbfReader(bytes);
    model = pbf.readFields(readModelField, emptyModel() as typeof model);
    if (pbf.pos > bytes.length) throw new SyntaxError("it is cut off");
  } catch (error) {
    // The reader knows no boundaries of its own: damaged bytes fail in many ways.
    throw malformed(
      error instanceof SyntaxError ? error.message : "it is not an ONNX file, or damaged",
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
  else if (tag === 7) model.graph = readGraph(pbf);
  else if (tag === 8) {
    const opset = pbf.readMessage((tag, opset, pbf) => {
      if (tag === 1) opset.domain = pbf.readString();
      else if (tag === 2) opset.version = pbf.readVarint();
    }, { domain: "", version: 0 });
    (model.opsetImport as { domain: string; version: number }[]).push(opset);
  } else if (tag === 14) {
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
    inputs: [] as ValueInfo[],
    outputs: [] as ValueInfo[],
  };
  return pbf.readMessage((tag, graph, pbf) => {
    if (tag === 1) graph.nodes.push(readNode(pbf));
    else if (tag === 2) graph.name = pbf.readString();
    else if (tag === 5) {
      const { name, tensor } = readTensor(pbf);
      if (tensor) graph.initializers.set(name, tensor);
    } else if (tag === 11) graph.inputs.push(readValueInfo(pbf));
    else if (tag === 12) graph.outputs.push(readValueInfo(pbf));
  }, graph);
}

function readNode(pbf: PbfReader): NodeProto {
  const node = {
    name: "",
    opType: "",
    domain: "",
    inputs: [] as string[],
    outputs: [] as string[],
    attributes: new Map<string, Attribute>(),
  };
  return pbf.readMessage((tag, node, pbf) => {
    if (tag === 1) node.inputs.push(pbf.readString());
    else if (tag === 2) node.outputs.push(pbf.readString());
    else if (tag === 3) node.name = pbf.readString();
    else if (tag === 4) node.opType = pbf.readString();
    else if (tag === 5) {
      const { name, attribute } = readAttribute(pbf);
      if (attribute) node.attributes.set(name, attribute);
    } else if (tag === 7) node.domain = pbf.readString();
  }, node);
}

function readAttribute(pbf: PbfReader): { name: string; attribute: Attribute | undefined } {
  const fields = pbf.readMessage((tag, fields, pbf) => {
    if (tag === 1) fields.name = pbf.readString();
    else if (tag === 2) fields.FLOAT = pbf.readFloat();
    else if (tag === 3) fields.INT = pbf.readVarint(true);
    else if (tag === 4) fields.STRING = pbf.readString();
    else if (tag === 5) fields.TENSOR = readTensor(pbf).tensor;
    else if (tag === 8) pbf.readPackedVarint(fields.INTS, true);
    else if (tag === 20) fields.type = pbf.readVarint();
  }, {
    name: "",
    type: 0,
    FLOAT: 0,
    INT: 0,
    STRING: "",
    TENSOR: undefined as Tensor | undefined,
    INTS: [] as number[],
  });
  const type = ATTRIBUTE_TYPE_NAMES.get(fields.type);
  const value = type && fields[type];
  const isKnown = type !== undefined && value !== undefined;
  return { name: fields.name, attribute: isKnown ? { type, value } as Attribute : undefined };
}

function readTensor(pbf: PbfReader): { name: string; tensor: Tensor | undefined } {
  const fields = pbf.readMessage((tag, fields, pbf) => {
    if (tag === 1) pbf.readPackedVarint(fields.dims, true);
    else if (tag === 2) fields.dataType = pbf.readVarint();
    else if (tag === 4) pbf.readPackedFloat(fields.floats);
    else if (tag === 5 || tag === 7) pbf.readPackedVarint(fields.integers, true);
    else if (tag === 8) fields.name = pbf.readString();
    else if (tag === 9) fields.raw = pbf.readBytes();
    else if (tag === 14) fields.external = pbf.readVarint() === 1;
  }, {
    name: "",
    dims: [] as number[],
    dataType: 0,
    floats: [] as number[],
    integers: [] as number[],
    raw: undefined as Uint8Array | undefined,
    external: false,
  });
  const { name, dims: shape } = fields;
  const dtype = DATA_TYPES.get(fields.dataType);
  if (fields.external) throw new SyntaxError(`its tensor "${name}" is in another file`);
  if (!dtype) return { name, tensor: undefined };
  if (shape.some((size) => size < 0)) throw new SyntaxError(`the shape of "${name}" is [${shape}]`);
  if (fields.raw) {
    if (elementCount(shape) * bytesPerElement(dtype) !== fields.raw.length) {
      throw new SyntaxError(`its tensor "${name}" is cut off`);
    }
    return { name, tensor: tensorFromBytes(dtype, shape, fields.raw) };
  }
  const isList = dtype === "float32" || dtype === "int64" || dtype === "int32";
  if (isList && elementCount(shape) !== Math.max(fields.floats.length, fields.integers.length)) {
    throw new SyntaxError(`its tensor "${name}" is cut off`);
  }
  // Small tensors of other writers come as a list of numbers.
  if (dtype === "float32") {
    return { name, tensor: { dtype, shape, data: Float32Array.from(fields.floats) } };
  }
  if (dtype === "int64") {
    return {
      name,
      tensor: { dtype, shape, data: BigInt64Array.from(fields.integers.map(BigInt)) },
    };
  }
  if (dtype === "int32") {
    return { name, tensor: { dtype, shape, data: Int32Array.from(fields.integers) } };
  }
  return { name, tensor: undefined };
}

function readValueInfo(pbf: PbfReader): ValueInfo {
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
  if (!dtype) throw new SyntaxError(`its value "${fields.name}" has the type ${fields.dataType}`);
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
      const { size } = pbf.readMessage((tag, dimension, pbf) => {
        if (tag === 1) dimension.size = pbf.readVarint(true);
        else if (tag === 2) dimension.size = pbf.readString();
      }, { size: "" as number | string });
      shape.push(size);
    }, value.shape);
  }
}

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the ONNX model: ${what}`);
}
