/** How labels become targets. */
export interface TargetOptions {
  /** ε from 0 to below 1: the share of each target that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
  /** [K], how much each class counts; default 1. */
  readonly classWeights?: ArrayLike<number> | undefined;
}

/**
 * Makes smoothed rows of labels, q = (1 - ε) onehot + ε / K, as timm and PyTorch do.
 *
 * @returns [B, K]
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { smoothedRows } from "./targets.ts";
 *
 * assertEquals([...smoothedRows([1], 2, 0.5)], [0.25, 0.75]);
 * ```
 */
export function smoothedRows(
  labels: ArrayLike<number>,
  classCount: number,
  labelSmoothing = 0,
): Float32Array {
  const rows = new Float32Array(labels.length * classCount).fill(labelSmoothing / classCount);
  for (let i = 0; i < labels.length; i++) {
    rows[i * classCount + labels[i]!]! += 1 - labelSmoothing;
  }
  return rows;
}

/**
 * Makes the targets of the cross-entropy of labels, as `torch.nn.CrossEntropyLoss` weights them:
 * t = w q / Σ w[label], so that the loss is Σ -t log softmax(z).
 *
 * @returns [B, K]
 */
export function labelTargets(
  labels: ArrayLike<number>,
  classCount: number,
  { labelSmoothing = 0, classWeights }: TargetOptions = {},
): Float32Array {
  const rows = smoothedRows(labels, classCount, labelSmoothing);
  let total = labels.length;
  if (classWeights) {
    total = 0;
    for (let i = 0; i < labels.length; i++) total += classWeights[labels[i]!]!;
  }
  return rows.map((q, i) => q * (classWeights?.[i % classCount] ?? 1) / total);
}

/**
 * Makes the targets of the cross-entropy of rows that sum to 1: t = w q / B.
 *
 * @param rows [B, K]
 * @returns [B, K]
 */
export function softTargets(
  rows: Float32Array,
  classCount: number,
  classWeights?: ArrayLike<number>,
): Float32Array {
  const images = rows.length / classCount;
  return rows.map((q, i) => q * (classWeights?.[i % classCount] ?? 1) / images);
}
