import {
  bytesPerElement,
  type DataType,
  elementCount,
  type Tensor,
  tensorFromBytes,
} from "../tensor/tensor.ts";
import { Tuple, unpickle } from "./pickle.ts";
import type { Tensors } from "./safetensors.ts";
import { readZip, type ZipEntries } from "./zip.ts";

/** PyTorch's own limit on a tensor's axes. */
const MAX_AXES = 64;
/** The maximum nesting of dicts; a training checkpoint has three levels. */
const MAX_DEPTH = 16;
/** The maximum over all dicts; ViT-L with its optimizer has about 1,200 tensors. */
const MAX_ENTRIES = 100_000;
/** In characters, including the prefixes from the enclosing dicts. */
const MAX_NAME_LENGTH = 1000;

/** PyTorch's storage classes and their element types. */
const STORAGE_TYPES: Readonly<Record<string, DataType>> = {
  BFloat16Storage: "bfloat16",
  BoolStorage: "bool",
  ByteStorage: "uint8",
  CharStorage: "int8",
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  IntStorage: "int32",
  LongStorage: "int64",
  ShortStorage: "int16",
};

class StorageType {
  constructor(readonly dtype: DataType) {}
}

/** A flat buffer of elements; tensors are strided views of it. `length` is in elements. */
class Storage {
  constructor(readonly dtype: DataType, readonly length: number, readonly bytes: Uint8Array) {}
}

/** A validated tensor description from the pickle. Offset and strides are in elements. */
class StridedTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

const GLOBALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...Object.entries(STORAGE_TYPES).map(([name, dtype]) =>
    [`torch.${name}`, new StorageType(dtype)] as const
  ),
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_parameter", rebuildParameter],
]);

/** The tensors and the numbers in a file's dicts. */
export interface PytorchState {
  /** By name, in file order. */
  readonly tensors: Tensors;
  /** The integers up to 2⁵³ and the floats, such as `epoch`, by name. */
  readonly numbers: ReadonlyMap<string, number>;
}

/**
 * Reads the tensors of a file written by `torch.save`; see {@linkcode readPytorchState}, which also
 * returns its numbers.
 *
 * @throws {SyntaxError} if the file is damaged or exceeds a limit, or names a global that is not allowed.
 */
export function readPytorch(bytes: Uint8Array): Tensors {
  return readPytorchState(bytes).tensors;
}

/**
 * Reads a file written by `torch.save` (`pytorch_model.bin`, `.pth`, `.pth.tar`; PyTorch 1.6 or newer):
 * a zip file that holds the tensors' storages and a pickle that describes the tensors. The returned
 * tensors are views of `bytes`, except for non-contiguous or misaligned ones, which are copied.
 *
 * Tensors and numbers in nested dicts are named by their keys, joined by dots:
 * `target_encoder.norm.weight`. Other values are skipped, and so is what is in lists or under keys that
 * are not strings, such as an optimizer's. The pickle cannot run code; see {@linkcode unpickle}.
 *
 * @throws {SyntaxError} if the file is damaged or exceeds a limit, or its pickle names a global other
 * than tensors and plain containers, such as a function of the operating system.
 */
export function readPytorchState(bytes: Uint8Array): PytorchState {
  // Before PyTorch 1.6 the file was a sequence of pickles.
  if (bytes[0] === 0x80) {
    throw malformed(
      "it was written before PyTorch 1.6; load it with a newer version and save it again",
    );
  }
  const entries = readZip(bytes);
  const [pickle, ...more] = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined || more.length > 0) {
    throw malformed(`it has ${more.length + (pickle ? 1 : 0)} entries data.pkl, not one`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder && new TextDecoder().decode(byteOrder.subarray(0, 6)) !== "little") {
    throw malformed("its numbers are not in little-endian order");
  }
  const root = unpickle(entries.get(pickle)!, {
    globals: GLOBALS,
    persistentLoad: (id) => findStorage(id, entries, folder),
  });
  const made = new Map<StridedTensor, Tensor>();
  // Copied tensors may share a storage, so without a limit they could take more memory than the file.
  let copied = 0;
  const make = (strided: StridedTensor): Tensor => {
    const { tensor, copiedBytes } = toTensor(strided, bytes.length - copied);
    copied += copiedBytes;
    made.set(strided, tensor);
    return tensor;
  };
  const { tensors, numbers } = namedValues(root);
  return {
    tensors: new Map(
      [...tensors].map(([name, strided]) => [name, made.get(strided) ?? make(strided)]),
    ),
    numbers,
  };
}

function namedValues(
  root: unknown,
): { tensors: Map<string, StridedTensor>; numbers: Map<string, number> } {
  if (!(root instanceof Map)) throw malformed("it does not hold a dict of tensors");
  const tensors = new Map<string, StridedTensor>();
  const numbers = new Map<string, number>();
  let count = 0;
  const visit = (dict: Map<unknown, unknown>, prefix: string, depth: number) => {
    if (depth > MAX_DEPTH) throw malformed(`its dicts are nested more than ${MAX_DEPTH} deep`);
    for (const [key, value] of dict) {
      // A dict may contain itself or be shared, so the file's size does not limit the entries visited.
      if (++count > MAX_ENTRIES) throw malformed(`its dicts have more than ${MAX_ENTRIES} entries`);
      if (typeof key !== "string") continue;
      const name = prefix + key;
      if (name.length > MAX_NAME_LENGTH) {
        throw malformed(`it has a name of more than ${MAX_NAME_LENGTH} characters`);
      }
      if (value instanceof Map) visit(value, `${name}.`, depth + 1);
      if (typeof value === "number") numbers.set(name, value);
      if (!(value instanceof StridedTensor)) continue;
      if (tensors.has(name)) throw malformed(`it has the tensor ${JSON.stringify(name)} twice`);
      tensors.set(name, value);
    }
  };
  visit(root, "", 1);
  return { tensors, numbers };
}

/** @param id the tuple `("storage", type, key, device, number of elements)` */
function findStorage(id: unknown, entries: ZipEntries, folder: string): Storage {
  const [kind, type, key, , length] = id instanceof Tuple ? id.items : [];
  if (kind !== "storage" || !(type instanceof StorageType) || typeof key !== "string") {
    throw malformed("it has a persistent id that is not a storage");
  }
  const quoted = JSON.stringify(key.slice(0, MAX_NAME_LENGTH));
  const bytes = entries.get(`${folder}data/${key}`);
  if (!bytes) throw malformed(`it has no storage ${quoted}`);
  if (!isCount(length) || length * bytesPerElement(type.dtype) > bytes.length) {
    throw malformed(
      `the storage ${quoted} should have ${describe(length)} elements of ${type.dtype}, ` +
        `but has ${bytes.length} bytes`,
    );
  }
  return new Storage(type.dtype, length, bytes);
}

/** `torch._utils._rebuild_tensor_v2(storage, storage_offset, size, stride, …)` */
function rebuildTensor(
  storage: unknown,
  offset: unknown,
  size: unknown,
  stride: unknown,
): StridedTensor {
  if (!(storage instanceof Storage)) throw malformed("it has a tensor that has no storage");
  const shape = counts(size, "shape");
  const strides = counts(stride, "strides");
  if (strides.length !== shape.length || !isCount(elementCount(shape))) {
    throw malformed(`it has a tensor of shape [${shape}] and strides [${strides}]`);
  }
  if (!isCount(offset) || reach(offset, shape, strides) > storage.length) {
    throw malformed(
      `a tensor of shape [${shape}] and strides [${strides}] at ${describe(offset)} ` +
        `reaches outside its storage of ${storage.length} elements`,
    );
  }
  return new StridedTensor(storage, offset, shape, strides);
}

/** Returns the number of elements that the storage must have for a tensor: its last index plus 1. */
function reach(offset: number, shape: readonly number[], strides: readonly number[]): number {
  // A tensor with an axis of size 0 has no elements.
  if (shape.includes(0)) return offset;
  return shape.reduce((last, size, axis) => last + (size - 1) * strides[axis]!, offset) + 1;
}

/** `torch._utils._rebuild_parameter(tensor, requires_grad, …)` */
function rebuildParameter(tensor: unknown): StridedTensor {
  if (tensor instanceof StridedTensor) return tensor;
  throw malformed("it has a parameter that is not a tensor");
}

/** Validates a tuple of sizes. It returns the tuple's own array, so that many tensors can share it. */
function counts(value: unknown, what: string): readonly number[] {
  const items = value instanceof Tuple ? value.items : [value];
  if (!(value instanceof Tuple) || items.length > MAX_AXES || !items.every(isCount)) {
    throw malformed(
      `it has a tensor with the ${what} [${items.slice(0, MAX_AXES).map(describe)}]`,
    );
  }
  return items as readonly number[];
}

/** Makes a tensor: a view if possible, otherwise a copy of at most `maxCopied` bytes. */
function toTensor(
  { storage: { dtype, bytes }, offset, shape, strides }: StridedTensor,
  maxCopied: number,
): { tensor: Tensor; copiedBytes: number } {
  const size = bytesPerElement(dtype);
  const count = elementCount(shape);
  const begin = offset * size;
  const isView = isContiguous(shape, strides);
  const copiedBytes = isView && (bytes.byteOffset + begin) % size === 0 ? 0 : count * size;
  if (copiedBytes > maxCopied) {
    throw malformed(`its tensors, such as one of shape [${shape}], take more memory than the file`);
  }
  const elements = isView
    ? bytes.subarray(begin, begin + count * size)
    : gather(bytes.subarray(begin), size, shape, strides);
  return { tensor: tensorFromBytes(dtype, shape, elements), copiedBytes };
}

/** Whether the elements are in row-major order without gaps. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Copies strided elements of `size` bytes each into row-major order. */
function gather(
  bytes: Uint8Array,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const out = new Uint8Array(elementCount(shape) * size);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += size) {
    for (let b = 0; b < size; b++) out[to + b] = bytes[from * size + b]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Formats a number; for other values, which may contain themselves, returns only the type. */
function describe(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? `${value}` : typeof value;
}

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the PyTorch file: ${what}`);
}
