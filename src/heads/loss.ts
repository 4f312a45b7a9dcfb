import type { Tensor } from "../tensor/tensor.ts";
import type { ProblemType } from "../vit_msn/config.ts";

/** Labels that PyTorch's cross-entropy leaves out. */
const IGNORE_INDEX = -100n;

/**
 * What the labels of a batch mean: the config's `problem_type`, or else regression for one label, and
 * for several what the labels' type says, integers that name classes or floats that are targets.
 *
 * @param labels int64 [B] or [B, 1] for classes; else numbers [B, K], or [B] where K is 1.
 * @param batch B
 * @param K the number of the model's labels.
 * @throws {RangeError} if the labels have another type or shape, or name a class that there is not.
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
        `Cannot compute the loss: the label ${stranger} is none of 0 to ${K - 1}`,
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
 * The loss that `ViTMSNForImageClassification` reports for a batch, in double precision:
 * `regression` is the mean squared error, `single_label_classification` the mean cross-entropy
 * `log Σ exp(x_j) - x_label`, `multi_label_classification` the mean of
 * `max(x, 0) - x y + log(1 + exp(-|x|))` over all classes.
 *
 * @param logits [B, K]
 * @param labels see {@linkcode problemTypeOf}.
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
    return crossEntropy(logits.data, labels.data as BigInt64Array, K);
  }
  const term = type === "regression" ? squaredError : binaryCrossEntropy;
  return logits.data.reduce((sum, x, i) => sum + term(x, Number(labels.data[i]!)), 0) / (B * K);
}

function crossEntropy(logits: Float32Array, labels: BigInt64Array, K: number): number {
  let [sum, count] = [0, 0];
  labels.forEach((label, b) => {
    if (label === IGNORE_INDEX) return;
    const row = logits.subarray(b * K, (b + 1) * K);
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
