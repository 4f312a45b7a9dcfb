// The messages and fields of onnx.proto (https://onnx.ai/onnx/api/classes.html) that this project reads
// or writes, with their names in camel case.

import type { DataType, Tensor } from "../tensor/tensor.ts";

/** A model: a graph and its metadata. */
export interface ModelProto {
  /** The version of ONNX's format. */
  readonly irVersion: number;
  /** The tool that wrote the file. */
  readonly producerName: string;
  /** That tool's version. */
  readonly producerVersion: string;
  /** Free text. */
  readonly docString: string;
  /** The versions of the operators, by their domain. */
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  /** Free text by key. */
  readonly metadataProps: ReadonlyMap<string, string>;
  /** What the model computes. */
  readonly graph: GraphProto;
}

/** A graph: nodes, initializers, inputs and outputs. */
export interface GraphProto {
  /** The graph's name. */
  readonly name: string;
  /** The operators. */
  readonly nodes: readonly NodeProto[];
  /** Weights and constants by name. */
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** What the graph takes; of older tools, weights too. */
  readonly inputs: readonly ValueInfoProto[];
  /** What the graph computes. */
  readonly outputs: readonly ValueInfoProto[];
  /** The shapes of weights with an unsupported element type, such as 4-bit integers. */
  readonly otherShapes?: ReadonlyMap<string, readonly number[]>;
}

/** One operator with the names of its inputs and outputs. */
export interface NodeProto {
  /** Free text; values have names of their own. */
  readonly name: string;
  /** The operator. */
  readonly opType: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  /** The values that it reads; one that is left out is empty. */
  readonly inputs: readonly string[];
  /** The values that it makes. */
  readonly outputs: readonly string[];
  /** Its settings by name. */
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** An attribute's value, tagged with ONNX's name for its type. */
export type AttributeProto =
  | { readonly type: "FLOAT"; readonly value: number }
  | { readonly type: "INT"; readonly value: number }
  | { readonly type: "STRING"; readonly value: string }
  | { readonly type: "TENSOR"; readonly value: Tensor }
  | { readonly type: "FLOATS"; readonly value: readonly number[] }
  | { readonly type: "INTS"; readonly value: readonly number[] };

/** A graph input or output. A dimension is a size or the name of a dynamic dimension. */
export interface ValueInfoProto {
  /** The value's name. */
  readonly name: string;
  /** The type of its elements. */
  readonly dtype: DataType;
  /** Its dimensions. */
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
export const ATTRIBUTE_TYPES: Readonly<Record<AttributeProto["type"], number>> = {
  FLOAT: 1,
  INT: 2,
  STRING: 3,
  TENSOR: 4,
  FLOATS: 6,
  INTS: 7,
};
