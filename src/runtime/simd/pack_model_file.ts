import { type Tensor, tensorBytes } from "../../tensor/tensor.ts";
import { type ModelFile, verifiedWeights } from "../../vit_msn/model_file.ts";
import { sharedMemory, WEIGHTS_START, weightsArena } from "./arena.ts";
import { bestBuild, instantiate, kernelModule } from "./kernels.ts";
import {
  checksum,
  HEAD_PREFIX,
  PACKED_MAGIC,
  PACKED_VERSION,
  type PackedHeader,
  POSITIONS,
  PREFIX_BYTES,
} from "./packed_file.ts";
import { packModel } from "./packed_model.ts";

/** The JSON is padded with spaces to a multiple of this many bytes. */
const ALIGNMENT = 64;

/**
 * Packs a model for the kernels, as a file that `readPackedFile` reads.
 *
 * @param sha256 of the ONNX file, in hexadecimal.
 * @returns the file in pieces, in order.
 * @throws {TypeError} if the file has another graph than this project writes.
 * @throws {RangeError} if its weights take more memory than there is, or int8 weights more than seven bits.
 */
export function packModelFile(file: ModelFile, sha256: string): Uint8Array[] {
  const memory = sharedMemory();
  const kernels = instantiate(kernelModule(bestBuild()), memory);
  const arena = weightsArena(memory, kernels.freeMemory());
  const { positions, ...model } = packModel(file.config, verifiedWeights(file), arena, kernels);
  const weightBytes = arena.end - WEIGHTS_START;
  const { config, preprocessorConfig, outputs, head } = file;
  const tensors: [string, Tensor<"float32">][] = [
    [POSITIONS, positions],
    ...Object.entries(head?.tensors ?? {}).map(
      ([name, tensor]): [string, Tensor<"float32">] => [HEAD_PREFIX + name, tensor],
    ),
  ];
  const header: PackedHeader = {
    sha256,
    config,
    preprocessorConfig,
    outputs,
    ...(head ? { headSettings: head.settings } : {}),
    model,
    weightBytes,
    tensors: tensors.map(([name, { shape }]) => ({ name, shape })),
  };
  const json = padded(new TextEncoder().encode(JSON.stringify(header)));
  const prefix = new DataView(new ArrayBuffer(PREFIX_BYTES));
  prefix.setBigUint64(0, PACKED_MAGIC, true);
  prefix.setUint32(8, PACKED_VERSION, true);
  prefix.setUint32(12, json.length, true);
  prefix.setUint32(16, checksum(json), true);
  return [
    new Uint8Array(prefix.buffer),
    json,
    arena.bytes(WEIGHTS_START, weightBytes).slice(), // of a memory that is no longer shared
    ...tensors.map(([, tensor]) => tensorBytes(tensor)),
  ];
}

function padded(json: Uint8Array): Uint8Array {
  const filled = new Uint8Array(Math.ceil(json.length / ALIGNMENT) * ALIGNMENT).fill(0x20);
  filled.set(json);
  return filled;
}
