// Upper bounds of output shapes for the operators of ONNX (https://onnx.ai/onnx/operators/) and of
// onnxruntime (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md) that occur in
// ViTs exported and quantized by optimum, transformers.js and PyTorch. If sizes contradict each other,
// the larger one is used here; onnxruntime rejects such a graph. The file is long because it is a table.

import { elementCount } from "../tensor/tensor.ts";
import { type Call, type Made, MAX_DATA, UnknownSize, type Value } from "./value_size.ts";

type Operator = (call: Call) => readonly Made[];

function given({ inputs }: Call, index: number): Value {
  const input = inputs[index];
  if (!input) throw new UnknownSize();
  return input;
}

/** Returns the elements of an input that must be known, such as a shape, axes or counts. */
function numbers(call: Call, index: number): readonly number[] {
  const { data } = given(call, index);
  if (!data) throw new UnknownSize();
  return data;
}

function int({ node }: Call, name: string, otherwise: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.type === "INT" ? attribute.value : otherwise;
}

function ints({ node }: Call, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.type === "INTS" ? attribute.value : undefined;
}

/** Returns a parameter that is an attribute in older opsets and an input in newer ones. */
function intsOrInput(call: Call, name: string, index: number): readonly number[] | undefined {
  return ints(call, name) ?? (call.inputs[index] ? numbers(call, index) : undefined);
}

function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!(Number.isInteger(positive) && positive >= 0 && positive < rank)) throw new UnknownSize();
  return positive;
}

function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((shape) => shape[i - rank + shape.length] ?? 1);
    return sizes.includes(0) ? 0 : Math.max(...sizes);
  });
}

/** The smaller of the two integer types of shapes, int32, does not overflow up to this value. */
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Rounds elements as onnxruntime does: to float32, or integers that do not overflow. Other elements
 * become unknown, because onnxruntime would compute a different size from them.
 */
function computed(
  data: readonly number[] | undefined,
  isFloat: boolean,
): Pick<Made, "data" | "isFloat"> {
  if (data?.some(Number.isNaN)) return { isFloat };
  if (isFloat) return { data: data?.map(Math.fround), isFloat };
  return { data: data?.every(isSafe) ? data : undefined, isFloat };
}

function isSafe(x: number): boolean {
  return Number.isInteger(x) && Math.abs(x) <= MAX_INTEGER;
}

/** Returns an input's elements if computing with them is exact. */
function safeData({ data, isFloat = false }: Value): readonly number[] | undefined {
  return isFloat || data?.every(isSafe) ? data : undefined;
}

const same: Operator = (call) => {
  const { shape, data, isFloat } = given(call, 0);
  return call.node.outputs.map((_, i) => i === 0 ? { shape, data, isFloat } : { shape });
};

/** An element-wise operator with one data input; `compute` evaluates known elements. */
function unary(compute?: (x: number) => number): Operator {
  return (call) => {
    const input = given(call, 0);
    const data = compute && safeData(input)?.map(compute);
    return [{ shape: input.shape, ...computed(data, input.isFloat ?? false) }];
  };
}

/** A comparison or logical operator: its elements are 0 or 1. */
function logical(compute: (...x: number[]) => boolean): Operator {
  const numeric = elementwise((...x) => Number(compute(...x)));
  return (call) => numeric(call).map((made) => ({ ...made, isFloat: false }));
}

/**
 * An element-wise operator with broadcasting; `compute` evaluates known elements. The last input
 * determines the element type.
 */
function elementwise(
  compute?: (...x: number[]) => number,
  computeIntegers: typeof compute = compute,
): Operator {
  return (call) => {
    const inputs = call.inputs.map((_, i) => given(call, i));
    const shape = broadcast(...inputs.map(({ shape }) => shape));
    const count = elementCount(shape);
    const isFloat = inputs.at(-1)?.isFloat ?? false;
    const used = isFloat ? compute : computeIntegers;
    const lists = inputs.map(safeData);
    // Only vectors and scalars are evaluated, because shapes are nothing else.
    const isList = lists.every((data) => data && (data.length === count || data.length === 1));
    if (!used || !isList || shape.length > 1 || count > MAX_DATA) return [{ shape }];
    const data = Array.from(
      { length: count },
      (_, i) => used(...lists.map((data) => data!.length === 1 ? data![0]! : data![i]!)),
    );
    return [{ shape, ...computed(data, isFloat) }];
  };
}

/** An operator whose output shape is its first `count` inputs, broadcast; the others do not affect it. */
function firstOf(count: number): Operator {
  return (call) => [{
    shape: broadcast(...call.inputs.slice(0, count).map((_, i) => given(call, i).shape)),
  }];
}

function matrixProduct(a: readonly number[], b: readonly number[]): number[] {
  if (a.length === 0 || b.length === 0) throw new UnknownSize();
  const rows = a.length > 1 ? [a.at(-2)!] : [];
  const columns = b.length > 1 ? [b.at(-1)!] : [];
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), ...rows, ...columns];
}

function transposed(shape: readonly number[], isTransposed: boolean): readonly number[] {
  if (!isTransposed || shape.length < 2) return shape;
  return [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
}

/** A matrix product of inputs `a` and `b`; `flags` names the attributes that transpose them. */
function product(a: number, b: number, ...flags: [string?, string?]): Operator {
  return (call) => [{
    shape: matrixProduct(
      transposed(given(call, a).shape, !!flags[0] && int(call, flags[0], 0) !== 0),
      transposed(given(call, b).shape, !!flags[1] && int(call, flags[1], 0) !== 0),
    ),
  }];
}

/** A convolution of input `x` with the weights `w`, given by their indices. */
function convolution(x: number, w: number): Operator {
  return (call) => {
    const [B, , ...sizes] = given(call, x).shape;
    const [channels, perGroup, ...kernel] = given(call, w).shape;
    if (channels === undefined || perGroup === undefined) throw new UnknownSize();
    const pads = ints(call, "pads") ?? [];
    const strides = ints(call, "strides") ?? [];
    const dilations = ints(call, "dilations") ?? [];
    const autoPad = call.node.attributes.get("auto_pad")?.value;
    const spatial = sizes.map((size, i) => {
      const stride = strides[i] ?? 1;
      if (!(stride >= 1)) throw new UnknownSize();
      if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") return Math.ceil(size / stride);
      const padded = size + (pads[i] ?? 0) + (pads[i + sizes.length] ?? 0);
      const extent = (dilations[i] ?? 1) * (kernel[i]! - 1) + 1;
      return Math.max(0, Math.floor((padded - extent) / stride) + 1);
    });
    const shape = [B!, channels, ...spatial];
    // The workspace is im2col's: all patches as a matrix.
    return [{ shape, workspace: perGroup * elementCount(kernel) * elementCount(spatial) }];
  };
}

const reshape: Operator = (call) => {
  const { shape, data, isFloat } = given(call, 0);
  const wanted = intsOrInput(call, "shape", 1);
  if (!wanted) throw new UnknownSize();
  const allowZero = int(call, "allowzero", 0) !== 0;
  const sizes = wanted.map((size, i) => size === 0 && !allowZero ? shape[i] ?? 0 : size);
  const rest = sizes.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  const count = elementCount(shape);
  const made = sizes.map((size) => size === -1 ? (rest === 0 ? 0 : Math.ceil(count / rest)) : size);
  return [{ shape: made, data, isFloat }];
};

const transpose: Operator = (call) => {
  const { shape, data, isFloat } = given(call, 0);
  const axes = ints(call, "perm") ?? shape.map((_, i) => shape.length - 1 - i);
  return [{
    shape: axes.map((axis) => shape[axisOf(axis, shape.length)]!),
    data: shape.length < 2 ? data : undefined,
    isFloat,
  }];
};

const concat: Operator = (call) => {
  const inputs = call.inputs.map((_, i) => given(call, i));
  const axis = axisOf(int(call, "axis", 0), inputs[0]?.shape.length ?? 0);
  const shape = inputs[0]!.shape.map((_, i) => {
    const sizes = inputs.map(({ shape }) => shape[i] ?? 1);
    return i === axis ? sizes.reduce((sum, size) => sum + size, 0) : Math.max(...sizes);
  });
  const isList = shape.length === 1 && inputs.every(({ data }) => data);
  return [{
    shape,
    data: isList ? inputs.flatMap(({ data }) => data!) : undefined,
    isFloat: inputs[0]!.isFloat,
  }];
};

const gather: Operator = (call) => {
  const { shape, data, isFloat } = given(call, 0);
  const indices = given(call, 1);
  const axis = axisOf(int(call, "axis", 0), shape.length);
  return [{
    shape: [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)],
    data: shape.length === 1 && data
      ? indices.data?.map((i) => data[i < 0 ? i + data.length : i] ?? NaN)
      : undefined,
    isFloat,
  }];
};

const slice: Operator = (call) => {
  const { shape, data, isFloat } = given(call, 0);
  const starts = intsOrInput(call, "starts", 1);
  const ends = intsOrInput(call, "ends", 2);
  if (!starts || !ends) throw new UnknownSize();
  const axes = intsOrInput(call, "axes", 3) ?? starts.map((_, i) => i);
  const steps = call.inputs[4] ? numbers(call, 4) : [];
  const made = [...shape];
  let kept = data;
  axes.forEach((named, i) => {
    const axis = axisOf(named, shape.length);
    const size = shape[axis]!;
    const step = steps[i] ?? 1;
    const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
    const [start, end] = [clamp(starts[i]!), clamp(ends[i]!)];
    if (!(step >= 1)) throw new UnknownSize();
    made[axis] = Math.max(0, Math.ceil((end - start) / step));
    kept = shape.length === 1
      ? data?.slice(start, end).filter((_, j) => j % step === 0)
      : undefined;
  });
  return [{ shape: made, data: kept, isFloat }];
};

const split: Operator = (call) => {
  const { shape } = given(call, 0);
  const axis = axisOf(int(call, "axis", 0), shape.length);
  const sizes = intsOrInput(call, "split", 1);
  const { outputs } = call.node;
  return outputs.map((_, i) => ({
    shape: shape.with(axis, sizes?.[i] ?? Math.ceil(shape[axis]! / outputs.length)),
  }));
};

const squeeze: Operator = (call) => {
  const { shape, data, isFloat } = given(call, 0);
  const axes = intsOrInput(call, "axes", 1)?.map((axis) => axisOf(axis, shape.length));
  return [{
    shape: shape.filter((size, i) => axes ? !axes.includes(i) : size !== 1),
    data,
    isFloat,
  }];
};

const unsqueeze: Operator = (call) => {
  const { shape, data, isFloat } = given(call, 0);
  const axes = intsOrInput(call, "axes", 1);
  if (!axes) throw new UnknownSize();
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisOf(axis, rank)));
  const sizes = shape.values();
  return [{
    shape: Array.from({ length: rank }, (_, i) => added.has(i) ? 1 : sizes.next().value ?? 1),
    data,
    isFloat,
  }];
};

const flatten: Operator = (call) => {
  const { shape } = given(call, 0);
  const axis = int(call, "axis", 1);
  const at = axis < 0 ? axis + shape.length : axis;
  return [{ shape: [elementCount(shape.slice(0, at)), elementCount(shape.slice(at))] }];
};

const shapeOf: Operator = (call) => {
  const { shape } = given(call, 0);
  const data = shape.slice(int(call, "start", 0), int(call, "end", shape.length));
  return [{ shape: [data.length], data }];
};

/** Returns an input's elements, which must be valid sizes. */
function sizesOf(call: Call, index: number): readonly number[] {
  const sizes = numbers(call, index);
  if (sizes.some((size) => !(Number.isInteger(size) && size >= 0))) throw new UnknownSize();
  return sizes;
}

function filled(shape: readonly number[], value: number, isFloat: boolean): Made {
  const count = elementCount(shape);
  return {
    shape,
    ...computed(count <= MAX_DATA ? Array<number>(count).fill(value) : undefined, isFloat),
  };
}

const constantOfShape: Operator = (call) => {
  const value = call.node.attributes.get("value");
  const isInteger = value?.type === "INT";
  return [filled(sizesOf(call, 0), isInteger ? value.value : NaN, !isInteger)];
};

const expand: Operator = (call) => {
  const { shape, data, isFloat = false } = given(call, 0);
  const made = broadcast(shape, sizesOf(call, 1));
  return [data?.length === 1 ? filled(made, data[0]!, isFloat) : { shape: made }];
};

const tile: Operator = (call) => {
  const repeats = sizesOf(call, 1);
  return [{ shape: given(call, 0).shape.map((size, i) => size * (repeats[i] ?? 1)) }];
};

const range: Operator = (call) => {
  const [start, limit, step] = [0, 1, 2].map((i) => numbers(call, i)[0]!) as [
    number,
    number,
    number,
  ];
  const isFloat = given(call, 0).isFloat ?? false;
  const span = isFloat ? Math.fround(limit - start) : limit - start;
  const count = Math.max(0, Math.ceil(span / step));
  const data = count <= MAX_DATA
    ? Array.from({ length: count }, (_, i) => start + i * step)
    : undefined;
  return [{ shape: [count], ...computed(isFloat ? undefined : data, isFloat) }];
};

const pad: Operator = (call) => {
  const { shape } = given(call, 0);
  const pads = intsOrInput(call, "pads", 1);
  if (!pads) throw new UnknownSize();
  const axes = call.inputs[3]
    ? numbers(call, 3).map((axis) => axisOf(axis, shape.length))
    : shape.map((_, i) => i);
  const made = [...shape];
  axes.forEach((axis, i) => made[axis]! += (pads[i] ?? 0) + (pads[i + axes.length] ?? 0));
  return [{ shape: made }];
};

const resize: Operator = (call) => {
  const { shape } = given(call, 0);
  const axes = ints(call, "axes")?.map((axis) => axisOf(axis, shape.length)) ??
    shape.map((_, i) => i);
  const made = [...shape];
  const scalesAt = call.opset < 11 ? 1 : 2;
  if (call.inputs[3]) {
    const sizes = sizesOf(call, 3);
    axes.forEach((axis, i) => made[axis] = sizes[i]!);
  } else {
    const scales = numbers(call, scalesAt);
    axes.forEach((axis, i) => made[axis] = Math.trunc(Math.fround(made[axis]! * scales[i]!)));
  }
  return [{ shape: made }];
};

/** A reduction over the given axes, or all axes; `compute` evaluates known integers. */
function reduction(compute?: (numbers: readonly number[]) => number): Operator {
  return (call) => {
    const input = given(call, 0);
    const { shape, isFloat = false } = input;
    const data = isFloat ? undefined : safeData(input);
    const axes = intsOrInput(call, "axes", 1)?.map((axis) => axisOf(axis, shape.length));
    if (!axes?.length && int(call, "noop_with_empty_axes", 0) !== 0) return [{ shape }];
    const isReduced = (i: number) => !axes?.length || axes.includes(i);
    const keeps = int(call, "keepdims", 1) !== 0;
    return [{
      shape: shape.flatMap((size, i) => !isReduced(i) ? [size] : keeps ? [1] : []),
      ...computed(shape.length === 1 && compute && data ? [compute(data)] : undefined, isFloat),
    }];
  };
}

const argument: Operator = (call) => {
  const { shape } = given(call, 0);
  const axis = axisOf(int(call, "axis", 0), shape.length);
  const keeps = int(call, "keepdims", 1) !== 0;
  return [{ shape: shape.flatMap((size, i) => i !== axis ? [size] : keeps ? [1] : []) }];
};

const topK: Operator = (call) => {
  const { shape } = given(call, 0);
  const [k] = intsOrInput(call, "k", 1) ?? [int(call, "k", NaN)];
  const made = shape.with(axisOf(int(call, "axis", -1), shape.length), k!);
  return [{ shape: made }, { shape: made }];
};

const gatherNd: Operator = (call) => {
  const { shape } = given(call, 0);
  const indices = given(call, 1).shape;
  const batch = int(call, "batch_dims", 0);
  return [{ shape: [...indices.slice(0, -1), ...shape.slice(batch + (indices.at(-1) ?? 1))] }];
};

const einsum: Operator = (call) => {
  const equation = call.node.attributes.get("equation");
  const match = String(equation?.value).replaceAll(" ", "").match(/^([a-zA-Z,]+)->([a-zA-Z]*)$/);
  if (!match) throw new UnknownSize();
  const sizes = new Map<string, number>();
  match[1]!.split(",").forEach((letters, i) =>
    [...letters].forEach((letter, axis) =>
      sizes.set(letter, Math.max(sizes.get(letter) ?? 0, given(call, i).shape[axis] ?? 1))
    )
  );
  // No workspace is counted, although an implementation may compute the whole product before it sums.
  return [{ shape: [...match[2]!].map((letter) => sizes.get(letter) ?? 1) }];
};

/** The number of attention scores for one image: heads · tokens · others. */
function scores(call: Call, tokens: number, others: number): number {
  return int(call, "num_heads", 1) * tokens * others;
}

/** com.microsoft.Attention: input [B, S, D], weights [D, 3 D]. */
const attention: Operator = (call) => {
  const [B = 1, S = 1] = given(call, 0).shape;
  const width = given(call, 1).shape.at(-1) ?? 0;
  const sizes = ints(call, "qkv_hidden_sizes");
  return [{
    shape: [B, S, sizes?.[2] ?? Math.ceil(width / 3)],
    workspace: B * (scores(call, S, S) + S * width),
  }];
};

/** com.microsoft.MultiHeadAttention: query [B, S, D], key and value [B, T, D] or [B, heads, T, D / heads]. */
const multiHeadAttention: Operator = (call) => {
  const query = given(call, 0).shape;
  const [B = 1, S = 1] = query;
  const value = call.inputs[2]?.shape;
  const T = (value?.length === 4 ? value[2] : value?.[1]) ?? S;
  const D = value?.length === 3 ? value[2]! : query.slice(2).reduce((a, b) => a * b, 1);
  return [{ shape: [B, S, D], workspace: B * scores(call, S, T) }];
};

/** ONNX's standard Attention, opset 23. */
const standardAttention: Operator = (call) => {
  const query = given(call, 0).shape;
  const value = given(call, 2).shape;
  const [heads, S, T] = query.length === 4
    ? [query[1]!, query[2]!, value[2] ?? 1]
    : [int(call, "q_num_heads", 1), query[1] ?? 1, value[1] ?? 1];
  const shape = query.length === 4
    ? [...query.slice(0, 3), value[3] ?? 1]
    : [...query.slice(0, 2), Math.max(query[2] ?? 1, value[2] ?? 1)];
  return [{ shape, workspace: (query[0] ?? 1) * heads * S * T }];
};

/** com.microsoft.MatMulNBits: N output features, each a row of B. */
const matMulNBits: Operator = (call) => [{
  shape: [...given(call, 0).shape.slice(0, -1), int(call, "N", Infinity)],
  // The dequantized B.
  workspace: 2 * elementCount(given(call, 1).shape),
}];

const dynamicQuantize: Operator = (call) => [
  { shape: given(call, 0).shape },
  { shape: [] },
  { shape: [] },
];

const layerNormalization: Operator = (call) => {
  const { shape } = given(call, 0);
  return call.node.outputs.map(() => ({ shape }));
};

/** Evaluates only powers that every implementation computes exactly: squares and roots of squares. */
const power: Operator = (call) => {
  const [base, exponent] = [given(call, 0), given(call, 1)];
  const y = exponent.data?.length === 1 ? exponent.data[0]! : NaN;
  const data = safeData(base)?.map((x) => {
    const result = x ** y;
    const isExact = [x, result, 2 * y].every(Number.isInteger) && y > 0 && y <= 2;
    return isExact && Math.abs(result) <= 2 ** 24 ? result : NaN;
  });
  return [{
    shape: broadcast(base.shape, exponent.shape),
    ...computed(data, base.isFloat ?? false),
  }];
};

/** `TensorProto.DataType`; shapes are not computed in other types. */
const [FLOAT, INT32, INT64, BOOL] = [1, 6, 7, 9];

const cast: Operator = (call) => {
  const input = given(call, 0);
  const data = safeData(input);
  switch (int(call, "to", 0)) {
    case FLOAT:
      return [{ shape: input.shape, ...computed(data, true) }];
    case INT32:
    case INT64:
      return [{ shape: input.shape, ...computed(data?.map(Math.trunc), false) }];
    case BOOL:
      return [{ shape: input.shape, ...computed(data?.map((x) => Number(x !== 0)), false) }];
    default:
      return [{ shape: input.shape }];
  }
};

/** ONNX's standard operators. `Constant` is evaluated in graph_bounds.ts. */
const STANDARD: Readonly<Record<string, Operator>> = {
  Abs: unary(Math.abs),
  Add: elementwise((a = 0, b = 0) => a + b),
  And: logical((a, b) => !!a && !!b),
  ArgMax: argument,
  ArgMin: argument,
  Attention: standardAttention,
  BatchNormalization: (call) => [{ shape: given(call, 0).shape }],
  Cast: cast,
  CastLike: unary(),
  Ceil: unary(Math.ceil),
  Clip: unary(),
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Conv: convolution(0, 1),
  ConvInteger: convolution(0, 1),
  Cos: unary(),
  CumSum: unary(),
  DequantizeLinear: unary(),
  Div: elementwise((a = 0, b = 1) => a / b, (a = 0, b = 1) => Math.trunc(a / b)),
  Dropout: same,
  DynamicQuantizeLinear: dynamicQuantize,
  Einsum: einsum,
  Elu: unary(),
  Equal: logical((a, b) => a === b),
  Erf: unary(),
  Exp: unary(),
  Expand: expand,
  Flatten: flatten,
  Floor: unary(Math.floor),
  Gather: gather,
  GatherElements: (call) => [{ shape: given(call, 1).shape }],
  GatherND: gatherNd,
  Gelu: unary(),
  Gemm: product(0, 1, "transA", "transB"),
  GlobalAveragePool: (call) => {
    const { shape } = given(call, 0);
    return [{ shape: shape.map((size, i) => i < 2 ? size : 1) }];
  },
  Greater: logical((a = 0, b = 0) => a > b),
  GreaterOrEqual: logical((a = 0, b = 0) => a >= b),
  GroupNormalization: unary(),
  HardSigmoid: unary(),
  HardSwish: unary(),
  Identity: same,
  InstanceNormalization: unary(),
  IsInf: unary(),
  IsNaN: unary(),
  LayerNormalization: layerNormalization,
  LeakyRelu: unary(),
  Less: logical((a = 0, b = 0) => a < b),
  LessOrEqual: logical((a = 0, b = 0) => a <= b),
  Log: unary(),
  LogSoftmax: unary(),
  MatMul: product(0, 1),
  MatMulInteger: product(0, 1),
  Max: elementwise(Math.max),
  Mean: elementwise(),
  Min: elementwise(Math.min),
  Mod: elementwise(),
  Mul: elementwise((a = 1, b = 1) => a * b),
  Neg: unary((x) => -x),
  Not: logical((x) => !x),
  Or: logical((a, b) => !!a || !!b),
  PRelu: firstOf(2),
  Pad: pad,
  Pow: power,
  QLinearConv: convolution(0, 3),
  QLinearMatMul: product(0, 3),
  QuantizeLinear: unary(),
  RMSNormalization: layerNormalization,
  Range: range,
  Reciprocal: unary((x) => 1 / x),
  ReduceL2: reduction(),
  ReduceMax: reduction((x) => Math.max(...x)),
  ReduceMean: reduction(),
  ReduceMin: reduction((x) => Math.min(...x)),
  ReduceProd: reduction((x) => x.reduce((a, b) => a * b, 1)),
  ReduceSum: reduction((x) => x.reduce((a, b) => a + b, 0)),
  ReduceSumSquare: reduction(),
  Relu: unary((x) => Math.max(0, x)),
  Reshape: reshape,
  Resize: resize,
  Round: unary(),
  ScatterElements: (call) => [{ shape: given(call, 0).shape }],
  ScatterND: (call) => [{ shape: given(call, 0).shape }],
  Shape: shapeOf,
  Sigmoid: unary(),
  Sign: unary(Math.sign),
  SimplifiedLayerNormalization: layerNormalization,
  Sin: unary(),
  Size: (call) => [{ shape: [], data: [elementCount(given(call, 0).shape)] }],
  Slice: slice,
  Softmax: unary(),
  Softplus: unary(),
  Split: split,
  Sqrt: unary(Math.sqrt),
  Squeeze: squeeze,
  Sub: elementwise((a = 0, b = 0) => a - b),
  Sum: elementwise(),
  Swish: unary(),
  Tanh: unary(),
  Tile: tile,
  TopK: topK,
  Transpose: transpose,
  Trilu: unary(),
  Unsqueeze: unsqueeze,
  Where: elementwise((condition, a = 0, b = 0) => condition ? a : b),
  Xor: logical((a, b) => !a !== !b),
};

const MICROSOFT: Readonly<Record<string, Operator>> = {
  Attention: attention,
  BiasAdd: firstOf(3),
  BiasGelu: firstOf(2),
  BiasSoftmax: firstOf(2),
  BiasSplitGelu: (call) => {
    const { shape } = given(call, 0);
    return [{ shape }];
  },
  DequantizeLinear: unary(),
  DynamicQuantizeMatMul: product(0, 1),
  FastGelu: unary(),
  FusedConv: convolution(0, 1),
  FusedGemm: product(0, 1, "transA", "transB"),
  FusedMatMul: product(0, 1, "transA", "transB"),
  FusedMatMulActivation: product(0, 1, "transA", "transB"),
  Gelu: unary(),
  MatMulBnb4: matMulNBits,
  MatMulInteger16: product(0, 1),
  MatMulIntegerToFloat: product(0, 1),
  MatMulNBits: matMulNBits,
  MultiHeadAttention: multiHeadAttention,
  QAttention: attention,
  QGemm: product(0, 3, "transA", "transB"),
  QLinearAdd: (call) => [{ shape: broadcast(given(call, 0).shape, given(call, 3).shape) }],
  QLinearConcat: (call) => {
    // The inputs are the output's scale and zero point, then tensor, scale and zero point of each part.
    const inputs = call.inputs.filter((_, i) => i % 3 === 2);
    return concat({ ...call, inputs });
  },
  QLinearLeakyRelu: unary(),
  QLinearMul: (call) => [{ shape: broadcast(given(call, 0).shape, given(call, 3).shape) }],
  QLinearSigmoid: unary(),
  QLinearSoftmax: unary(),
  QuantizeLinear: unary(),
  QuickGelu: unary(),
  SimplifiedLayerNormalization: layerNormalization,
  SkipLayerNormalization: layerNormalization,
  SkipSimplifiedLayerNormalization: layerNormalization,
};

/** The supported operators by domain and name. */
export const OPERATORS: Readonly<Record<string, Readonly<Record<string, Operator>>>> = {
  "": STANDARD,
  "com.microsoft": MICROSOFT,
};
