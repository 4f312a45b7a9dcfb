import { plainBytes } from "../../tensor/plain_bytes.ts";
import { elementCount, type Tensor } from "../../tensor/tensor.ts";
import type { HeadParameters, HeadTensors } from "../../vit_msn/head/head_parameters.ts";
import type { ModelDescription } from "../../vit_msn/model_file.ts";
import { WEIGHTS_START } from "./arena.ts";
import { assertPointers } from "./packed_pointers.ts";
import type { PackedModel } from "./packed_model.ts";

/** A model with its weights packed for the kernels: nothing in it is parsed, verified or packed again. */
export interface PackedFile extends ModelDescription {
  /** The SHA-256 of the ONNX file that it was made of, in hexadecimal. */
  readonly sha256: string;
  /** The memory from {@linkcode WEIGHTS_START} on, to which the pointers in `model` refer. */
  readonly weights: Uint8Array;
  /** Where everything is in that memory. */
  readonly model: PackedModel;
}

/** The JSON at the beginning of a packed file. Tensors are in the file, by where they begin. */
export interface PackedHeader {
  readonly sha256: string;
  readonly config: ModelDescription["config"];
  readonly preprocessorConfig: ModelDescription["preprocessorConfig"];
  readonly outputs: readonly string[];
  readonly headSettings?: HeadParameters["settings"];
  readonly model: Omit<PackedModel, "positions">;
  /** The bytes of the weights, which come right behind this JSON. */
  readonly weightBytes: number;
  /** The float32 tensors behind the weights, one after the other. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/**
 * The version of the format: what the kernels read from memory is part of it. It grows with every change
 * of a struct or of how weights are packed.
 */
export const PACKED_VERSION = 2;

/** `VIT-MSN` and a zero. */
export const PACKED_MAGIC = 0x00_4e534d_2d544956n;

/** Bytes before the JSON: magic u64, version u32, length of the JSON u32, its checksum u32, and zeros. */
export const PREFIX_BYTES = 64;

/** The name of the position embeddings among the tensors. */
export const POSITIONS = "positions";

/** What comes before the name of a head's tensor. */
export const HEAD_PREFIX = "head.";

/** Whether a file is a packed model, by its first bytes. */
export function isPackedFile(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && viewOf(bytes).getBigUint64(0, true) === PACKED_MAGIC;
}

/**
 * Reads what `packModelFile` wrote. The weights are a view of the bytes.
 *
 * @throws {SyntaxError} if it is damaged, or of another version.
 */
export function readPackedFile(bytes: Uint8Array): PackedFile {
  bytes = plainBytes(bytes);
  if (!isPackedFile(bytes) || bytes.length < PREFIX_BYTES) {
    throw damaged("its beginning is missing");
  }
  const prefix = viewOf(bytes);
  const version = prefix.getUint32(8, true);
  if (version !== PACKED_VERSION) {
    throw new SyntaxError(
      `Cannot use the packed model: its version is ${version}, and this code reads ` +
        `${PACKED_VERSION}; build again`,
    );
  }
  const json = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + prefix.getUint32(12, true));
  if (checksum(json) !== prefix.getUint32(16, true)) throw damaged("its header is not as it was");
  const { headSettings, tensors: list, weightBytes, model, ...header } = JSON.parse(
    new TextDecoder().decode(json),
  ) as PackedHeader;
  const start = PREFIX_BYTES + json.length;
  const sizes = list.map(({ shape }) => 4 * elementCount(shape));
  const size = start + weightBytes + sizes.reduce((sum, size) => sum + size, 0);
  if (bytes.length !== size) throw damaged(`it has ${bytes.length} bytes, not ${size}`);
  const weights = bytes.subarray(start, start + weightBytes);
  const tensors = new Map<string, Tensor<"float32">>();
  let at = start + weightBytes;
  list.forEach(({ name, shape }, i) => {
    // A copy, which begins where float32 numbers may, and does not keep the file.
    const data = new Float32Array(bytes.slice(at, at += sizes[i]!).buffer);
    tensors.set(name, { dtype: "float32", shape, data });
  });
  const { hiddenSize, numHiddenLayers } = header.config;
  assertPointers(weights, model, { hiddenSize, numHiddenLayers }, damaged);
  const vector = (pointer: number) => {
    const from = pointer - WEIGHTS_START;
    return new Float32Array(weights.slice(from, from + 4 * hiddenSize).buffer);
  };
  return {
    ...header,
    weights,
    model: { ...model, positions: tensors.get(POSITIONS) ?? missing(POSITIONS) },
    layerNorm: { weight: vector(model.normWeight), bias: vector(model.normBias) },
    ...(headSettings ? { head: { settings: headSettings, tensors: headTensors(tensors) } } : {}),
  };
}

function headTensors(tensors: ReadonlyMap<string, Tensor<"float32">>): HeadTensors {
  const own = [...tensors].filter(([name]) => name.startsWith(HEAD_PREFIX));
  return Object.fromEntries(
    own.map(([name, tensor]) => [name.slice(HEAD_PREFIX.length), tensor]),
  ) as unknown as HeadTensors;
}

/** FNV-1a of 32 bits, http://www.isthe.com/chongo/tech/comp/fnv/. */
export function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function missing(name: string): never {
  throw damaged(`it has no ${name}`);
}

function damaged(what: string): SyntaxError {
  return new SyntaxError(`Cannot use the packed model: it is damaged, ${what}; build again`);
}
