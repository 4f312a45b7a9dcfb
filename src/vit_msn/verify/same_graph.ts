import type {
  AttributeProto,
  GraphProto,
  NodeProto,
  ValueInfoProto,
} from "../../onnx/model_proto.ts";
import { elementCount, type Tensor } from "../../tensor/tensor.ts";

/** The largest tensor that is part of the graph's formulas, not a weight of the model. */
const MAX_CONSTANT = 8;

/** The names of such tensors. */
const CONSTANT = /^(ints|scalar)_|_point$|_token$/;

/**
 * Whether two graphs have the same operators on the same values, the same small constants, inputs and
 * outputs. Names of nodes and other weights are not compared.
 */
export function isSameGraph(a: GraphProto, b: GraphProto): boolean {
  return isSameList(a.nodes, b.nodes, isSameNode) &&
    isSameList(a.inputs, b.inputs, isSameValue) &&
    isSameList(a.outputs, b.outputs, isSameValue) &&
    isSameMap(constantsOf(a), constantsOf(b), isSameTensor);
}

function constantsOf({ initializers }: GraphProto): ReadonlyMap<string, Tensor> {
  return new Map(
    [...initializers].filter(([name, { shape }]) =>
      CONSTANT.test(name) && elementCount(shape) <= MAX_CONSTANT
    ),
  );
}

function isSameNode(a: NodeProto, b: NodeProto): boolean {
  return a.opType === b.opType && a.domain === b.domain &&
    isSameList(a.inputs, b.inputs, Object.is) && isSameList(a.outputs, b.outputs, Object.is) &&
    isSameMap(a.attributes, b.attributes, isSameAttribute);
}

function isSameAttribute(a: AttributeProto, b: AttributeProto): boolean {
  if (a.type === "TENSOR" || b.type === "TENSOR") return false; // the project writes none
  if (a.type !== b.type) return false;
  if (Array.isArray(a.value)) return isSameList(a.value, b.value as readonly number[], Object.is);
  // A file has floats in single precision.
  if (a.type === "FLOAT") return Object.is(Math.fround(a.value), Math.fround(Number(b.value)));
  return a.value === b.value;
}

function isSameValue(a: ValueInfoProto, b: ValueInfoProto): boolean {
  return a.name === b.name && a.dtype === b.dtype && isSameList(a.shape, b.shape, Object.is);
}

function isSameTensor(a: Tensor, b: Tensor): boolean {
  return a.dtype === b.dtype && isSameList(a.shape, b.shape, Object.is) &&
    isSameList(a.data, b.data, Object.is);
}

function isSameList<T>(
  a: ArrayLike<T>,
  b: ArrayLike<T>,
  isSame: (a: T, b: T) => boolean,
): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!isSame(a[i]!, b[i]!)) return false;
  return true;
}

function isSameMap<T>(
  a: ReadonlyMap<string, T>,
  b: ReadonlyMap<string, T>,
  isSame: (a: T, b: T) => boolean,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}
