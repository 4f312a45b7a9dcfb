import { assertAlmostEquals } from "@std/assert";
import { Loss } from "../../../src/train/engine/structs.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { labelTargets, softTargets } from "../../../src/train/finetune/targets.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { assertClose, integer, numbers } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";

const golden = readGolden("train/losses/expected.safetensors");
const floats = (name: string) => (golden.get(name) as Tensor<"float32">).data;
const labels = Array.from(golden.get("labels")!.data as BigInt64Array, Number);
const [B, K] = golden.get("logits")!.shape as [number, number];
const classWeights = floats("class_weights");

/** How each of PyTorch's losses is put to the kernel. */
const LOSSES: Readonly<Record<string, Omit<Rows, "logits">>> = {
  cross_entropy: { kind: Loss.CROSS_ENTROPY, targets: labelTargets(labels, K) },
  label_smoothing: {
    kind: Loss.CROSS_ENTROPY,
    targets: labelTargets(labels, K, { labelSmoothing: 0.1 }),
  },
  class_weights: { kind: Loss.CROSS_ENTROPY, targets: labelTargets(labels, K, { classWeights }) },
  class_weights_label_smoothing: {
    kind: Loss.CROSS_ENTROPY,
    targets: labelTargets(labels, K, { labelSmoothing: 0.1, classWeights }),
  },
  soft_targets: { kind: Loss.CROSS_ENTROPY, targets: softTargets(floats("targets"), K) },
  soft_targets_class_weights: {
    kind: Loss.CROSS_ENTROPY,
    targets: softTargets(floats("targets"), K, classWeights),
  },
  bce: { kind: Loss.BINARY_CROSS_ENTROPY, targets: floats("multi_labels"), factor: 1 / (B * K) },
  bce_pos_weight: {
    kind: Loss.BINARY_CROSS_ENTROPY,
    targets: floats("multi_labels"),
    factor: 1 / (B * K),
    positive: floats("pos_weight"),
  },
};

for (const build of TRAIN_BUILDS) {
  for (const [name, rows] of Object.entries(LOSSES)) {
    Deno.test(`${build} kernels: computeLoss() of ${name} is what PyTorch computes`, () => {
      const { loss, dLogits } = computeLoss(build, { ...rows, logits: floats("logits") }, K);
      assertAlmostEquals(loss, floats(`${name}.loss`)[0]!, 1e-6);
      assertClose(dLogits, floats(`${name}.d_logits`), 1e-7);
    });
  }

  Deno.test(`${build} kernels: computeLoss() of mse is what PyTorch computes`, () => {
    // Only the first of the seven numbers of each row counts in the loss.
    const logits = floats("logits").filter((_, i) => i % K === 0);
    const rows = { kind: Loss.MEAN_SQUARED_ERROR, logits, targets: floats("values") };
    const { loss, dLogits } = computeLoss(build, { ...rows, factor: 1 / B }, 1);
    assertAlmostEquals(loss, floats("mse.loss")[0]!, 1e-6);
    assertClose(dLogits, floats("mse.d_logits").filter((_, i) => i % K === 0), 1e-7);
  });

  Deno.test(`${build} kernels: computeLoss() of any number of labels has the loss's slopes`, () => {
    const random = uniform(38);
    for (let i = 0; i < 90; i++) {
      const count = integer(random, 1, 40), kind = i % 3;
      const logits = numbers(random, count, 5);
      const rows = {
        kind,
        logits,
        targets: numbers(random, count).map(Math.abs),
        factor: 0.3,
        ...(i % 2 ? { positive: numbers(random, count).map((x) => 1 + x) } : {}),
      };
      const { loss, dLogits } = computeLoss(build, rows, count);
      assertAlmostEquals(loss, reference(rows, Float64Array.from(logits)), 1e-6 * (1 + loss));
      const slopes = Float64Array.from(logits, (_, j) => {
        const [more, less] = [1e-4, -1e-4].map((h) =>
          reference(rows, Float64Array.from(logits, (z, k) => z + (j === k ? h : 0)))
        );
        return (more! - less!) / 2e-4;
      });
      assertClose(dLogits, slopes, 1e-6, `loss ${kind} of ${count}`);
    }
  });

  Deno.test(`${build} kernels: computeLoss() of large logits stays finite`, () => {
    const logits = Float32Array.of(1000, -1000, 0);
    const targets = Float32Array.of(0, 1, 0);
    const cross = computeLoss(build, { kind: Loss.CROSS_ENTROPY, logits, targets }, 3);
    assertAlmostEquals(cross.loss, 2000);
    assertClose(cross.dLogits, [1, -1, 0], 1e-7);
    const binary = computeLoss(build, { kind: Loss.BINARY_CROSS_ENTROPY, logits, targets }, 3);
    assertAlmostEquals(binary.loss, 2000 + Math.log(2), 1e-6);
    assertClose(binary.dLogits, [1, -1, 0.5], 1e-7);
  });
}

/** Rows of logits, and what they are compared with. */
interface Rows {
  readonly kind: number;
  readonly logits: Float32Array;
  readonly targets: Float32Array;
  readonly factor?: number;
  readonly positive?: Float32Array;
}

/** The sum of the rows' losses, and the gradients. */
function computeLoss(
  build: typeof TRAIN_BUILDS[number],
  { kind, logits, targets, factor = 1, positive }: Rows,
  count: number,
): { loss: number; dLogits: Float32Array } {
  const instance = new TrainInstance(build);
  const weights = positive ? instance.put(positive) : 0;
  const dLogits = new Float32Array(logits.length);
  let loss = 0;
  for (let at = 0; at < logits.length; at += count) {
    const out = instance.guarded(4 * count);
    loss += instance.kernels.computeLoss(
      kind,
      instance.put(logits.subarray(at, at + count)),
      instance.put(targets.subarray(at, at + count)),
      weights,
      count,
      factor,
      out,
    );
    dLogits.set(instance.take(out, count), at);
  }
  return { loss, dLogits };
}

/** The loss of a row in double precision. */
function reference(
  { kind, targets, factor = 1, positive }: Rows,
  logits: Float64Array,
): number {
  const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
  return logits.reduce((loss, z, i) => {
    const y = targets[i]!, sigma = 1 / (1 + Math.exp(-z));
    if (kind === Loss.CROSS_ENTROPY) return loss - y * Math.log(Math.exp(z) / total);
    if (kind === Loss.MEAN_SQUARED_ERROR) return loss + factor * (z - y) ** 2;
    const yes = (positive?.[i] ?? 1) * y * Math.log(sigma);
    return loss - factor * (yes + (1 - y) * Math.log(1 - sigma));
  }, 0);
}
