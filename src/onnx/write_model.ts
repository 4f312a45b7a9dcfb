import { PbfWriter } from "pbf";
import { type Tensor, tensorBytes } from "../tensor/tensor.ts";
import {
  ATTRIBUTE_TYPES,
  type AttributeProto,
  ELEMENT_TYPES,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "./model_proto.ts";

/**
 * Serialises a model as an ONNX file.
 *
 * @returns the file's chunks in order. The weights are views of the tensors, so that a model of a
 * gigabyte is not in memory twice.
 */
export function writeModel(model: ModelProto): Uint8Array[] {
  const graph = graphChunks(model.graph);
  const graphLength = graph.reduce((sum, chunk) => sum + chunk.length, 0);
  const head = message((pbf) => {
    pbf.writeVarintField(1, model.irVersion);
    writeText(pbf, 2, model.producerName);
    writeText(pbf, 3, model.producerVersion);
    writeText(pbf, 6, model.docString);
    for (const { domain, version } of model.opsetImport) {
      pbf.writeMessage(8, (_, opset) => {
        writeText(opset, 1, domain);
        opset.writeVarintField(2, version);
      }, undefined);
    }
    for (const entry of model.metadataProps) {
      pbf.writeMessage(14, ([key, value], prop) => {
        prop.writeStringField(1, key);
        prop.writeStringField(2, value);
      }, entry);
    }
    pbf.writeTag(7, LENGTH_DELIMITED);
    pbf.writeVarint(graphLength);
  });
  return [head, ...graph];
}

/** Protobuf's wire type for strings, bytes and messages. */
const LENGTH_DELIMITED = 2;
/** TensorProto's field for the elements as little-endian bytes. */
const RAW_DATA = 9;

function graphChunks(graph: GraphProto): Uint8Array[] {
  const chunks = [message((pbf) => {
    for (const node of graph.nodes) pbf.writeMessage(1, writeNode, node);
    pbf.writeStringField(2, graph.name);
    for (const value of graph.inputs) pbf.writeMessage(11, writeValueInfo, value);
    for (const value of graph.outputs) pbf.writeMessage(12, writeValueInfo, value);
  })];
  for (const [name, tensor] of graph.initializers) {
    const header = message((pbf) => {
      writeTensorHeader(tensor, pbf, name);
      pbf.writeTag(RAW_DATA, LENGTH_DELIMITED);
      pbf.writeVarint(tensor.data.byteLength);
    });
    const tag = message((pbf) => {
      pbf.writeTag(5, LENGTH_DELIMITED);
      pbf.writeVarint(header.length + tensor.data.byteLength);
    });
    chunks.push(tag, header, tensorBytes(tensor));
  }
  return chunks;
}

/** Writes a TensorProto's fields except `raw_data`. */
function writeTensorHeader(tensor: Tensor, pbf: PbfWriter, name: string): void {
  pbf.writePackedVarint(1, [...tensor.shape]);
  pbf.writeVarintField(2, ELEMENT_TYPES[tensor.dtype]);
  writeText(pbf, 8, name);
}

function writeNode(node: NodeProto, pbf: PbfWriter): void {
  for (const name of node.inputs) pbf.writeStringField(1, name);
  for (const name of node.outputs) pbf.writeStringField(2, name);
  writeText(pbf, 3, node.name);
  pbf.writeStringField(4, node.opType);
  for (const attribute of node.attributes) pbf.writeMessage(5, writeAttribute, attribute);
  writeText(pbf, 7, node.domain);
}

function writeAttribute([name, { type, value }]: [string, AttributeProto], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  switch (type) {
    case "FLOAT":
      pbf.writeFloatField(2, value);
      break;
    case "INT":
      pbf.writeVarintField(3, value);
      break;
    case "STRING":
      pbf.writeStringField(4, value);
      break;
    case "TENSOR":
      pbf.writeMessage(5, (tensor, message) => {
        writeTensorHeader(tensor, message, "");
        message.writeBytesField(RAW_DATA, tensorBytes(tensor));
      }, value);
      break;
    case "FLOATS":
      for (const float of value) pbf.writeFloatField(7, float);
      break;
    case "INTS":
      for (const int of value) pbf.writeVarintField(8, int);
      break;
  }
  pbf.writeVarintField(20, ATTRIBUTE_TYPES[type]);
}

function writeValueInfo({ name, dtype, shape }: ValueInfoProto, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, (_, type) => {
    type.writeMessage(1, (_, tensorType) => {
      tensorType.writeVarintField(1, ELEMENT_TYPES[dtype]);
      tensorType.writeMessage(2, (_, tensorShape) => {
        for (const size of shape) {
          tensorShape.writeMessage(1, (_, dimension) => {
            if (typeof size === "number") dimension.writeVarintField(1, size);
            else dimension.writeStringField(2, size);
          }, undefined);
        }
      }, undefined);
    }, undefined);
  }, undefined);
}

function writeText(pbf: PbfWriter, field: number, text: string): void {
  if (text !== "") pbf.writeStringField(field, text);
}

function message(write: (pbf: PbfWriter) => void): Uint8Array {
  const pbf = new PbfWriter();
  write(pbf);
  return pbf.finish();
}
