/** The typed array that holds the elements of each {@linkcode DataType}. */
export interface DataArray {
  /** Bfloat16 as bits: the upper 16 bits of a float32. */
  bfloat16: Uint16Array;
  /** One byte per element, 0 or 1. */
  bool: Uint8Array;
  /** IEEE 754 binary16, as bits. */
  float16: Uint16Array;
  /** IEEE 754 single precision. */
  float32: Float32Array;
  /** IEEE 754 double precision. */
  float64: Float64Array;
  /** −128 to 127. */
  int8: Int8Array;
  /** −2¹⁵ to 2¹⁵ − 1. */
  int16: Int16Array;
  /** −2³¹ to 2³¹ − 1. */
  int32: Int32Array;
  /** −2⁶³ to 2⁶³ − 1. */
  int64: BigInt64Array;
  /** 0 to 255. */
  uint8: Uint8Array;
  /** 0 to 2¹⁶ − 1. */
  uint16: Uint16Array;
}

/** An element type, named as in ONNX Runtime and NumPy. */
export type DataType = keyof DataArray;

/** A dense, row-major array: `data.length` is the product of `shape`. */
export interface Tensor<T extends DataType = DataType> {
  /** The element type. */
  readonly dtype: T;
  /** The sizes of the axes, the outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** The elements. */
  readonly data: DataArray[T];
}

const CONSTRUCTORS = {
  bfloat16: Uint16Array,
  bool: Uint8Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
} as const;

/** Returns the number of elements for a shape; 1 for a scalar, `[]`. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Returns the size of one element in bytes. */
export function bytesPerElement(dtype: DataType): number {
  return CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;
}

/**
 * Makes a tensor from little-endian bytes. The tensor is a view of `bytes`, unless these are misaligned
 * for the element type: then the elements are copied when `data` is first read.
 *
 * @throws {RangeError} if the number of bytes does not match the shape.
 */
export function tensorFromBytes<T extends DataType>(
  dtype: T,
  shape: readonly number[],
  bytes: Uint8Array,
): Tensor<T> {
  const size = bytesPerElement(dtype);
  if (bytes.length !== elementCount(shape) * size) {
    throw new RangeError(
      `Cannot read a tensor: ${bytes.length} bytes do not hold ${dtype} [${shape}]`,
    );
  }
  return bytes.byteOffset % size === 0
    ? { dtype, shape, data: viewOf(dtype, bytes) }
    : misalignedTensor(dtype, shape, bytes);
}

function viewOf<T extends DataType>(dtype: T, { buffer, byteOffset, length }: Uint8Array) {
  const Elements = CONSTRUCTORS[dtype];
  const count = length / Elements.BYTES_PER_ELEMENT;
  return new Elements(buffer as ArrayBuffer, byteOffset, count) as DataArray[T];
}

/** The original bytes of misaligned tensors. */
const misaligned = new WeakMap<Tensor, Uint8Array>();

/** Copies lazily: most misaligned tensors are only passed on as bytes, or never read. */
function misalignedTensor<T extends DataType>(
  dtype: T,
  shape: readonly number[],
  bytes: Uint8Array,
): Tensor<T> {
  let data: DataArray[T] | undefined;
  const tensor = {
    dtype,
    shape,
    get data() {
      return data ??= viewOf(dtype, new Uint8Array(bytes));
    },
  };
  misaligned.set(tensor, bytes);
  return tensor;
}

/** Returns a tensor's elements as little-endian bytes: a view, not a copy. */
export function tensorBytes(tensor: Tensor): Uint8Array {
  const bytes = misaligned.get(tensor);
  if (bytes) return bytes;
  const { buffer, byteOffset, byteLength } = tensor.data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Asserts a tensor's element type, and narrows the tensor's static type.
 *
 * @param name the tensor's name, for the error message.
 * @throws {TypeError} if the tensor has another element type.
 */
export function assertDataType<T extends DataType>(
  tensor: Tensor,
  dtype: T,
  name: string,
): asserts tensor is Tensor<T> {
  if (tensor.dtype !== dtype) {
    throw new TypeError(
      `Cannot use the tensor "${name}": it is ${tensor.dtype}, not ${dtype}`,
    );
  }
}
