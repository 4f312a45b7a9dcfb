import { toFloat32 } from "../tensor/float16.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ProblemType } from "../vit_msn/config.ts";

/** Labels that PyTorch's cross-entropy leaves out. */
const IGNORE_INDEX = -100;

/**
 * The loss that `ViTMSNForImageClassification` reports for a batch, in double precision:
 * `regression` is the mean squared error, `single_label_classification` the mean cross-entropy
 * `log Σ exp(x_j) - x_label`, `multi_label_classification` the mean of
 * `max(x, 0) - x y + log(1 + exp(-|x|))` over all classes. A config without `problem_type` means
 * regression for one label, else what the labels' type says: integers name classes, floats are targets.
 *
 * @param logits [B, K]
 * @param labels int64 [B], or float32 of as many numbers as there are logits.
 * @throws {RangeError} if the labels do not fit the logits; the message says how.
 */
export function computeLoss(
  logits: Tensor<"float32">,
  labels: Tensor,
  problemType: ProblemType | undefined,
): number {
  const [B, K] = logits.shape as [number, number];
  const integers = labels.dtype === "int64";
  const type = problemType ??
    (K === 1
      ? "regression"
      : integers
      ? "single_label_classification"
      : "multi_label_classification");
  if (type === "single_label_classification") {
    if (!integers || labels.data.length !== B) throw misfit(labels, `int64 [${B}]`);
    return crossEntropy(logits.data, labels.data as BigInt64Array, K);
  }
  const targets = integers ? undefined : toFloat32(labels).data;
  if (targets?.length !== B * K) throw misfit(labels, `float32 [${B}, ${K}]`);
  const term = type === "regression" ? squaredError : binaryCrossEntropy;
  return logits.data.reduce((sum, x, i) => sum + term(x, targets[i]!), 0) / targets.length;
}

function crossEntropy(logits: Float32Array, labels: BigInt64Array, K: number): number {
  let [sum, count] = [0, 0];
  labels.forEach((big, b) => {
    const label = Number(big);
    if (label === IGNORE_INDEX) return;
    if (label < 0 || label >= K) {
      throw new RangeError(`Cannot compute the loss: the label ${label} is none of 0 to ${K - 1}`);
    }
    const row = logits.subarray(b * K, (b + 1) * K);
    const max = row.reduce((a, x) => Math.max(a, x), -Infinity);
    sum += max + Math.log(row.reduce((a, x) => a + Math.exp(x - max), 0)) - row[label]!;
    count++;
  });
  return sum / count;
}

function squaredError(x: number, y: number): number {
  return (x - y) ** 2;
}

function binaryCrossEntropy(x: number, y: number): number {
  return Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
}

function misfit({ dtype, shape }: Tensor, expected: string): RangeError {
  return new RangeError(`Cannot compute the loss: labels is ${dtype} [${shape}], not ${expected}`);
}
