/**
 * Attention rollout from CLS (Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers"): how much of
 * each token arrives in CLS, if attention is the only thing that mixes tokens. Half of each block's output is
 * the residual, so with Ā the mean of a block's heads
 *
 *     Â = ½ (Ā + I), rows normalised to sum 1;  rollout of block l = Â_l Â_{l−1} … Â_1
 *
 * Only the row of CLS is computed, as a vector from the left: e₀ᵀ Â_l, then times Â_{l−1}, …, in L² T² / 2
 * multiplications rather than L T³.
 *
 * @param attentions [L, heads, T, T], rows of sum 1. **Overwritten**: the first head of each block becomes Ā,
 * because a copy of them would take as much memory again.
 * @returns [L, T]: CLS' row of the rollout through the blocks 0 to l, for each l.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rollOut } from "./roll_out.ts";
 *
 * // One block of one head: CLS attends to itself and to the patch alike.
 * const attentions = Float32Array.of(0.5, 0.5, 0, 1);
 * const shape = { blocks: 1, heads: 1, tokens: 2 };
 * assertEquals(rollOut(attentions, shape), Float32Array.of(0.75, 0.25));
 * ```
 */
export function rollOut(
  attentions: Float32Array,
  { blocks, heads, tokens: T }: { blocks: number; heads: number; tokens: number },
): Float32Array {
  const means = Array.from(
    { length: blocks },
    (_, l) => meanOfHeads(attentions.subarray(l * heads * T * T, (l + 1) * heads * T * T), T),
  );
  const rollouts = new Float32Array(blocks * T);
  for (let last = 0; last < blocks; last++) {
    let row: Float64Array = new Float64Array(T);
    row[0] = 1; // CLS
    for (let l = last; l >= 0; l--) row = timesResidual(row, means[l]!);
    rollouts.set(row, last * T);
  }
  return rollouts;
}

/** [heads, T, T] → [T, T], in place of the first head. */
function meanOfHeads(block: Float32Array, T: number): Float32Array {
  const size = T * T;
  const heads = block.length / size;
  const mean = block.subarray(0, size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let at = i; at < block.length; at += size) sum += block[at]!;
    mean[i] = sum / heads;
  }
  return mean;
}

/** rᵀ Â of r [T] and Ā [T, T], each row of ½ (Ā + I) divided by its sum. */
function timesResidual(row: Float64Array, mean: Float32Array): Float64Array<ArrayBuffer> {
  const T = row.length;
  const product = new Float64Array(T);
  for (let i = 0; i < T; i++) {
    if (row[i] === 0) continue;
    let sum = 1;
    for (let j = 0; j < T; j++) sum += mean[i * T + j]!;
    const share = row[i]! / sum;
    for (let j = 0; j < T; j++) product[j]! += share * mean[i * T + j]!;
    product[i]! += share;
  }
  return product;
}
