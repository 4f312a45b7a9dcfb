import { plainBytes } from "../tensor/plain_bytes.ts";
import {
  bytesPerElement,
  type DataType,
  elementCount,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from "../tensor/tensor.ts";

/** Tensors by name, in file order. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** ViT-L's has 0.05 MB. The limit is below the reference's 100 MB, as parsing multiplies the size. */
const MAX_HEADER_BYTES = 10_000_000;

/** The supported element types; https://huggingface.co/docs/safetensors */
const DATA_TYPES = new Map<unknown, DataType>(Object.entries({
  BF16: "bfloat16",
  BOOL: "bool",
  F16: "float16",
  F32: "float32",
  F64: "float64",
  I8: "int8",
  I16: "int16",
  I32: "int32",
  I64: "int64",
  U8: "uint8",
  U16: "uint16",
}));

const NAMES = new Map([...DATA_TYPES].map(([name, dtype]) => [dtype, name]));

/**
 * Reads a safetensors file: 8 bytes of header length (little endian), a JSON header
 * `{name: {dtype, shape, data_offsets: [begin, end]}}`, then the data. The tensors are views of
 * `bytes`; misaligned data is copied when a tensor's `data` is first read.
 *
 * @throws {SyntaxError} if the file is truncated, its header is not such JSON or too large, a tensor's
 * type is unsupported or its type, shape and offsets contradict each other, or tensors overlap or
 * leave gaps. The message names the tensor.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readSafetensors, writeSafetensors } from "./safetensors.ts";
 *
 * const data = Float32Array.of(1, 2, 3);
 * const file = writeSafetensors(new Map([["x", { dtype: "float32", shape: [3], data }]]));
 * assertEquals(readSafetensors(file).get("x")?.data, data);
 * ```
 */
export function readSafetensors(bytes: Uint8Array): Tensors {
  bytes = plainBytes(bytes);
  if (bytes.length < 8) {
    throw malformed(`it has ${bytes.length} bytes, fewer than the 8 of a header length`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > MAX_HEADER_BYTES) {
    throw malformed(`its header has ${headerLength} bytes, more than ${MAX_HEADER_BYTES}`);
  }
  if (8 + headerLength > bytes.length) {
    throw malformed(`its header of ${headerLength} bytes does not fit in ${bytes.length} bytes`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerLength));
  const data = bytes.subarray(8 + headerLength);
  const places = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => readPlace(name, entry, data.length));
  // Checked before any tensor is made: copies of overlapping misaligned tensors could fill the memory.
  assertGapless(places, data.length);
  return new Map(
    places.map(({ name, dtype, shape, begin, end }) => [
      name,
      tensorFromBytes(dtype, shape, data.subarray(begin, end)),
    ]),
  );
}

/** Writes tensors as one safetensors file, in the order of the map; see {@linkcode readSafetensors}. */
export function writeSafetensors(tensors: Tensors): Uint8Array {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    const begin = end;
    end += data.byteLength;
    header[name] = { dtype: NAMES.get(dtype), shape, data_offsets: [begin, end] };
  }
  // Padded with spaces to a multiple of 8 bytes, as the reference writer does, to align the data.
  const json = JSON.stringify(header);
  const unpadded = new TextEncoder().encode(json).length;
  const headerBytes = new TextEncoder().encode(json + " ".repeat(-unpadded & 7));
  const bytes = new Uint8Array(8 + headerBytes.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes.length), true);
  bytes.set(headerBytes, 8);
  let offset = 8 + headerBytes.length;
  for (const tensor of tensors.values()) {
    bytes.set(tensorBytes(tensor), offset);
    offset += tensor.data.byteLength;
  }
  return bytes;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw malformed("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw malformed("its header is not a JSON object");
  }
  return header as Record<string, unknown>;
}

interface Place {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** In bytes, relative to the end of the header. */
  readonly begin: number;
  readonly end: number;
}

function readPlace(name: string, entry: unknown, dataLength: number): Place {
  const { dtype, shape, data_offsets } = (entry ?? {}) as Record<string, unknown>;
  const type = DATA_TYPES.get(dtype);
  if (type === undefined) {
    throw malformed(
      `"${name}" has the type ${quote(dtype)}; supported are ${[...DATA_TYPES.keys()]}`,
    );
  }
  if (!isSizes(shape)) throw malformed(`the shape of "${name}" is ${quote(shape)}`);
  if (!isSizes(data_offsets) || data_offsets.length !== 2) {
    throw malformed(`the data_offsets of "${name}" are ${quote(data_offsets)}`);
  }
  const [begin, end] = data_offsets as [number, number];
  const size = elementCount(shape) * bytesPerElement(type);
  if (!Number.isSafeInteger(size)) {
    throw malformed(`"${name}", ${dtype} [${shape}], has more elements than can be counted`);
  }
  if (end > dataLength || end - begin !== size) {
    throw malformed(
      `"${name}", ${dtype} [${shape}], has the offsets ${begin} to ${end} in ${dataLength} bytes`,
    );
  }
  return { name, dtype: type, shape, begin, end };
}

/** The format forbids overlaps and gaps: every byte of the data belongs to exactly one tensor. */
function assertGapless(places: readonly Place[], dataLength: number): void {
  let end = 0;
  for (const place of places.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (place.begin !== end) {
      const what = place.begin < end ? "overlaps another tensor" : "follows a gap";
      throw malformed(`"${place.name}" begins at ${place.begin}, not at ${end}: it ${what}`);
    }
    end = place.end;
  }
  if (end !== dataLength) throw malformed(`its tensors end at ${end} of ${dataLength} bytes`);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Quotes flat values only: JSON.stringify overflows the stack on nesting that JSON.parse accepts. */
function quote(value: unknown): string {
  const isFlat = (item: unknown) => typeof item !== "object" || item === null;
  const isShort = Array.isArray(value) && value.length <= MAX_QUOTED_ITEMS && value.every(isFlat);
  return isShort || isFlat(value) ? `${JSON.stringify(value)}` : `an ${typeof value}`;
}

const MAX_QUOTED_ITEMS = 16;

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the safetensors file: ${what}`);
}
