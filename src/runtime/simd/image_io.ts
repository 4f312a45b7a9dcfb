// Copies the inputs and outputs of single images between tensors of a batch and a workspace.

import { elementCount, type Tensor } from "../../tensor/tensor.ts";
import type { Arena } from "./arena.ts";
import type { Workspace } from "./workspace.ts";

/** Outputs by name, for all images of a batch. */
export type Results = ReadonlyMap<string, Tensor<"float32">>;

/**
 * An output before it is computed.
 *
 * @throws {RangeError} if the host has no memory for it.
 */
export function zeros(shape: readonly number[]): Tensor<"float32"> {
  try {
    return { dtype: "float32", shape, data: new Float32Array(elementCount(shape)) };
  } catch {
    throw new RangeError(
      `Cannot run the model: an output of shape [${shape}] is more than the host can hold`,
    );
  }
}

/** The elements of the `b`-th of a batch. */
function itemOf({ shape: [B], data }: Tensor, b: number): Tensor["data"] {
  const size = data.length / B!;
  return data.subarray(b * size, (b + 1) * size);
}

/** Writes the inputs of one image. */
export function writeImage(
  arena: Arena,
  workspace: Workspace,
  pixels: Tensor<"float32">,
  kept: Tensor<"int64"> | undefined,
  mask: Tensor<"bool"> | undefined,
  b: number,
): void {
  const image = itemOf(pixels, b) as Float32Array;
  arena.floats(workspace.pixels, image.length).set(image);
  const patches = kept
    ? Int32Array.from(itemOf(kept, b) as BigInt64Array, Number)
    : Int32Array.from({ length: workspace.geometry.tokens - 1 }, (_, i) => i);
  arena.integers(workspace.patches, patches.length).set(patches);
  if (mask) {
    const masked = itemOf(mask, b) as Uint8Array;
    arena.bytes(workspace.mask, masked.length).set(masked);
  }
}

/** Reads the results of a step: the hidden states after a block and its attentions. */
export function readStep(
  arena: Arena,
  workspace: Workspace,
  results: Results,
  step: number,
  b: number,
  B: number,
): void {
  const { states } = workspace;
  const hidden = results.get("hidden_states");
  if (hidden) readTokens(arena, workspace, states, hidden, step * B + b);
  const attentions = results.get("attentions");
  if (!attentions || step === 0) return;
  const [, , heads, T] = attentions.shape as [number, number, number, number];
  const size = heads * T * T;
  attentions.data.set(
    arena.floats(workspace.attentions, size),
    ((step - 1) * B + b) * size,
  );
}

/** Reads the results after the last step. */
export function readOutputs(arena: Arena, workspace: Workspace, results: Results, b: number): void {
  const last = results.get("last_hidden_state");
  if (last) readTokens(arena, workspace, workspace.output, last, b);
  const logits = results.get("logits");
  if (logits) {
    const K = logits.shape[1]!;
    logits.data.set(arena.floats(workspace.logits, K), b * K);
  }
}

/** Copies [tokens, D] to the `index`-th matrix of an output. */
function readTokens(
  arena: Arena,
  { stateStride }: Workspace,
  from: number,
  { shape, data }: Tensor<"float32">,
  index: number,
): void {
  const [tokens, D] = shape.slice(-2) as [number, number];
  for (let t = 0; t < tokens; t++) {
    const row = arena.floats(from + t * stateStride, D);
    data.set(row, (index * tokens + t) * D);
  }
}
