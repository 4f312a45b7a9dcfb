// The messages and fields of onnx.proto (https://onnx.ai/onnx/api/classes.html) that this project reads
// or writes, with their names in camel case.

import type { DataType, Tensor } from "../tensor/tensor.ts";

/** A model: a graph and its metadata. */
export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly docString: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  /** Free text by key. */
  readonly metadataProps: ReadonlyMap<string, string>;
  readonly graph: GraphProto;
}

/** A graph: nodes, initializers, inputs and outputs. */
export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** The shapes of weights with an unsupported element type, such as 4-bit integers. */
  readonly otherShapes?: ReadonlyMap<string, readonly number[]>;
}

/** One operator with the names of its inputs and outputs. */
export interface NodeProto {
  readonly name: string;
  readonly opType: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** An attribute's value, tagged with ONNX's name for its type. */
export type Attribute =
  | { readonly type: "FLOAT"; readonly value: number }
  | { readonly type: "INT"; readonly value: number }
  | { readonly type: "STRING"; readonly value: string }
  | { readonly type: "TENSOR"; readonly value: Tensor }
  | { readonly type: "FLOATS"; readonly value: readonly number[] }
  | { readonly type: "INTS"; readonly value: readonly number[] };

/** A graph input or output. A dimension is a size or the name of a dynamic dimension. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly (number | string)[];
}

/** `TensorProto.DataType`. */
export const ELEMENT_TYPES: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

/** `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPES: Readonly<Record<Attribute["type"], number>> = {
  FLOAT: 1,
  INT: 2,
  STRING: 3,
  TENSOR: 4,
  FLOATS: 6,
  INTS: 7,
};
