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

/** PyTorch's own limit. */
const MAX_AXES = 64;
/** How deep dicts may lie in dicts; a training state has them three deep. */
const MAX_DEPTH = 16;
/** Of all dicts together; ViT-L with its optimizer has about 1,200 tensors. */
const MAX_ENTRIES = 100_000;
/** In characters, including the names of the dicts around it. */
const MAX_NAME_LENGTH = 1000;

/** The classes by which PyTorch names element types. */
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

/** A row of elements that tensors are views of. */
class Storage {
  constructor(readonly dtype: DataType, readonly length: number, readonly bytes: Uint8Array) {}
}

/** A tensor as the pickle describes it: checked, but not yet made. */
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

/**
 * Reads a file of `torch.save` (`pytorch_model.bin`, `.pth`, `.pth.tar`; PyTorch 1.6 or newer): a zip
 * file with the storages of the tensors and a pickle that says what they are. The tensors are views
 * of `bytes`, except for those whose elements do not lie in order or on addresses that can be read.
 *
 * Tensors of dicts in dicts are named by their keys, joined by dots: `target_encoder.norm.weight`.
 * Everything else, such as an epoch, is left out, and so are tensors in lists and under keys that are
 * no strings, such as an optimizer's. Of the pickle nothing is run; see {@linkcode unpickle}.
 *
 * @throws {SyntaxError} if the file is damaged, is too large for what it should be, or its pickle
 * names something else than tensors and plain containers, such as a function of the system.
 */
export function readPytorch(bytes: Uint8Array): Tensors {
  // Before 1.6 the file was a row of pickles.
  if (bytes[0] === 0x80) {
    throw malformed("it is of PyTorch before 1.6; load it with a newer one and save it again");
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
  // Tensors that are no views may share their storage, and then take more memory than the file.
  let copied = 0;
  const make = (strided: StridedTensor): Tensor => {
    const { tensor, copiedBytes } = toTensor(strided, bytes.length - copied);
    copied += copiedBytes;
    made.set(strided, tensor);
    return tensor;
  };
  return new Map(
    namedTensors(root).map(([name, strided]) => [name, made.get(strided) ?? make(strided)]),
  );
}

function namedTensors(root: unknown): [string, StridedTensor][] {
  if (!(root instanceof Map)) throw malformed("it holds no dict of tensors");
  const found = new Map<string, StridedTensor>();
  let count = 0;
  const visit = (dict: Map<unknown, unknown>, prefix: string, depth: number) => {
    if (depth > MAX_DEPTH) throw malformed(`its dicts are over ${MAX_DEPTH} deep`);
    for (const [key, value] of dict) {
      // A dict may be in itself, or in many others: the file's size does not limit their number.
      if (++count > MAX_ENTRIES) throw malformed(`its dicts have over ${MAX_ENTRIES} entries`);
      if (typeof key !== "string") continue;
      const name = prefix + key;
      if (name.length > MAX_NAME_LENGTH) {
        throw malformed(`a name in it is over ${MAX_NAME_LENGTH} characters long`);
      }
      if (value instanceof Map) visit(value, `${name}.`, depth + 1);
      if (!(value instanceof StridedTensor)) continue;
      if (found.has(name)) throw malformed(`the tensor ${JSON.stringify(name)} is there twice`);
      found.set(name, value);
    }
  };
  visit(root, "", 1);
  return [...found];
}

/** @param id ("storage", type, key, device, number of elements) */
function findStorage(id: unknown, entries: ZipEntries, folder: string): Storage {
  const [kind, type, key, , length] = id instanceof Tuple ? id.items : [];
  if (kind !== "storage" || !(type instanceof StorageType) || typeof key !== "string") {
    throw malformed("it refers to something that is no storage");
  }
  const quoted = JSON.stringify(key.slice(0, MAX_NAME_LENGTH));
  const bytes = entries.get(`${folder}data/${key}`);
  if (!bytes) throw malformed(`it has no storage ${quoted}`);
  if (!isCount(length) || length * bytesPerElement(type.dtype) > bytes.length) {
    throw malformed(
      `the storage ${quoted} is said to have ${describe(length)} elements of ${type.dtype}, ` +
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
  if (!(storage instanceof Storage)) throw malformed("a tensor in it has no storage");
  const shape = counts(size, "shape");
  const strides = counts(stride, "strides");
  if (strides.length !== shape.length || !isCount(elementCount(shape))) {
    throw malformed(`a tensor in it has the shape [${shape}] and the strides [${strides}]`);
  }
  if (!isCount(offset) || reach(offset, shape, strides) > storage.length) {
    throw malformed(
      `a tensor in it, shape [${shape}] and strides [${strides}] from ${describe(offset)}, ` +
        `reaches outside of its storage of ${storage.length} elements`,
    );
  }
  return new StridedTensor(storage, offset, shape, strides);
}

/** How many elements of its storage a tensor needs. */
function reach(offset: number, shape: readonly number[], strides: readonly number[]): number {
  // With a size of 0 there is no element, whatever the others are.
  if (shape.includes(0)) return offset;
  return shape.reduce((last, size, axis) => last + (size - 1) * strides[axis]!, offset) + 1;
}

/** `torch._utils._rebuild_parameter(tensor, requires_grad, …)` */
function rebuildParameter(tensor: unknown): StridedTensor {
  if (tensor instanceof StridedTensor) return tensor;
  throw malformed("a parameter in it is no tensor");
}

/** A tuple of sizes; its array is not copied, so that many tensors can share it. */
function counts(value: unknown, what: string): readonly number[] {
  const items = value instanceof Tuple ? value.items : [value];
  if (!(value instanceof Tuple) || items.length > MAX_AXES || !items.every(isCount)) {
    throw malformed(
      `the ${what} of a tensor in it are [${items.slice(0, MAX_AXES).map(describe)}]`,
    );
  }
  return items as readonly number[];
}

/** Makes a tensor, as a view where it can be one and with at most that many bytes copied otherwise. */
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
    throw malformed(`its tensors, such as one of the shape [${shape}], take more than the file`);
  }
  const elements = isView
    ? bytes.subarray(begin, begin + count * size)
    : gather(bytes.subarray(begin), size, shape, strides);
  return { tensor: tensorFromBytes(dtype, shape, elements), copiedBytes };
}

/** Whether the elements lie in row-major order without gaps. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Copies elements of `size` bytes into row-major order. */
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

/** A number as it is; anything else, which may contain itself, only by its type. */
function describe(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? `${value}` : typeof value;
}

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the PyTorch file: ${what}`);
}
