import { WEIGHTS_START } from "./arena.ts";
import type { PackedModel } from "./packed_model.ts";
import { DType } from "./structs.ts";
import { fieldPlace, structBytes } from "./write_struct.ts";

/** Bytes of a weight, by the kernels' number of its type. */
const WEIGHT_BYTES: Readonly<Record<number, number>> = {
  [DType.F32]: 4,
  [DType.F16]: 2,
  [DType.I8]: 1,
  [DType.F32_EXACT]: 4,
};

const NORMS = ["normBeforeWeight", "normBeforeBias", "normAfterWeight", "normAfterBias"] as const;
const LINEARS = ["query", "key", "value", "attentionOutput", "intermediate", "output"] as const;

/**
 * Asserts that all that packed weights point to lies among them.
 *
 * @param weights the memory from {@linkcode WEIGHTS_START} on.
 * @param damaged makes the error.
 */
export function assertPointers(
  weights: Uint8Array,
  model: Omit<PackedModel, "positions">,
  { hiddenSize, numHiddenLayers }: { hiddenSize: number; numHiddenLayers: number },
  damaged: (what: string) => Error,
): void {
  const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
  const inside = (pointer: number, bytes: number) => {
    const from = pointer - WEIGHTS_START;
    if (pointer % 4 === 0 && from >= 0 && from + bytes <= weights.length) return;
    throw damaged(`${bytes} bytes at ${pointer} are not among its weights`);
  };
  const vector = (pointer: number) => inside(pointer, 4 * hiddenSize);
  const linear = (pointer: number) => {
    inside(pointer, structBytes("Linear"));
    const field = (name: Parameters<typeof fieldPlace<"Linear">>[2]) =>
      view.getUint32(fieldPlace("Linear", pointer, name) - WEIGHTS_START, true);
    const [dtype, inputs, outputs, scale] = [
      field("dtype"),
      field("inputs"),
      field("outputs"),
      field("scale"),
    ];
    const size = WEIGHT_BYTES[dtype];
    if (!size) throw damaged(`it has weights of the type ${dtype}`);
    if (inputs > model.maxInputs) throw damaged(`a layer has ${inputs} inputs`);
    const columns = dtype === DType.I8 ? Math.ceil(inputs / 4) * 4 : inputs;
    inside(field("weight"), outputs * columns * size);
    inside(field("bias"), 4 * outputs);
    if (scale !== 0 || dtype === DType.I8) inside(scale, 4 * outputs);
  };
  inside(model.blocks, numHiddenLayers * structBytes("Block"));
  for (let i = 0; i < numHiddenLayers; i++) {
    const block = model.blocks + i * structBytes("Block");
    const pointer = (name: Parameters<typeof fieldPlace<"Block">>[2]) =>
      view.getUint32(fieldPlace("Block", block, name) - WEIGHTS_START, true);
    for (const name of NORMS) vector(pointer(name));
    for (const name of LINEARS) linear(pointer(name));
  }
  for (const pointer of [model.cls, model.normWeight, model.normBias]) vector(pointer);
  if (model.maskToken !== 0) vector(model.maskToken);
  linear(model.patchEmbeddings);
  if (model.classifier !== 0) linear(model.classifier);
}
