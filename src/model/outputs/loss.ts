import { rowsOf } from "../../tensor/rows_of.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ProblemType } from "../../vit_msn/config.ts";

/** PyTorch's cross-entropy skips this label. */
const IGNORE_INDEX = -100n;

/**
 * Determines the problem type of a batch as transformers does: the config's `problem_type`, otherwise
 * regression for K = 1, single-label for integer labels and multi-label for float labels.
 *
 * @param labels int64 [B] or [B, 1] for classes; otherwise float32 (for regression also int64) [B, K], or [B] if
 * K is 1.
 * @param batch B
 * @param K the number of the model's labels.
 * @throws {RangeError} if the labels have another type or shape, or a class is out of range.
 */
export function problemTypeOf(
  labels: Tensor,
  batch: number,
  K: number,
  configured: ProblemType | undefined,
): ProblemType {
  const integers = labels.dtype === "int64";
  const type = configured ??
    (K === 1
      ? "regression"
      : integers
      ? "single_label_classification"
      : "multi_label_classification");
  const shape = labels.shape.join();
  if (type === "single_label_classification") {
    if (!integers || ![`${batch}`, `${batch},1`].includes(shape)) {
      throw misfit(labels, `int64 [${batch}]`);
    }
    const stranger = (labels.data as BigInt64Array)
      .find((label) => (label < 0 || label >= K) && label !== IGNORE_INDEX);
    if (stranger !== undefined) {
      throw new RangeError(
        `Cannot compute the loss: the label ${stranger} is not from 0 to ${K - 1}`,
      );
    }
    return type;
  }
  const isNumbers = labels.dtype === "float32" || integers && type === "regression";
  const shapes = K === 1 ? [`${batch}`, `${batch},1`] : [`${batch},${K}`];
  if (!isNumbers || !shapes.includes(shape)) throw misfit(labels, `float32 [${shapes.at(-1)}]`);
  return type;
}

/**
 * Computes the loss of `ViTMSNForImageClassification` for a batch in double precision: for `regression`
 * the mean squared error, for `single_label_classification` the mean cross-entropy
 * `log Σ exp(x_j) - x_label`, for `multi_label_classification` the mean binary cross-entropy
 * `max(x, 0) - x y + log(1 + exp(-|x|))` over images and classes.
 *
 * @param logits [B, K]
 * @param labels as {@linkcode problemTypeOf} takes them.
 * @throws {RangeError} if the labels do not fit the logits; the message says how.
 */
export function computeLoss(
  logits: Tensor<"float32">,
  labels: Tensor,
  configured: ProblemType | undefined,
): number {
  const [B, K] = logits.shape as [number, number];
  const type = problemTypeOf(labels, B, K, configured);
  if (type === "single_label_classification") {
    return crossEntropy(rowsOf(logits), labels.data as BigInt64Array);
  }
  const term = type === "regression" ? squaredError : binaryCrossEntropy;
  return logits.data.reduce((sum, x, i) => sum + term(x, Number(labels.data[i]!)), 0) / (B * K);
}

function crossEntropy(logits: readonly Float32Array[], labels: BigInt64Array): number {
  let [sum, count] = [0, 0];
  labels.forEach((label, b) => {
    if (label === IGNORE_INDEX) return;
    const row = logits[b]!;
    const max = row.reduce((a, x) => Math.max(a, x), -Infinity);
    sum += max + Math.log(row.reduce((a, x) => a + Math.exp(x - max), 0)) - row[Number(label)]!;
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
