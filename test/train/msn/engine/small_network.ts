import { elementCount, type Tensor } from "../../../../src/tensor/tensor.ts";
import type { MsnBatch, MsnObjective } from "../../../../src/train/msn/engine/msn_batch.ts";
import type { MsnEngineOptions } from "../../../../src/train/msn/engine/msn_engine_options.ts";
import type { MsnNetwork } from "../../../../src/train/msn/engine/msn_network.ts";
import { headShapes } from "../../../../src/train/msn/engine/projection_head.ts";
import type { ViTMSNConfig } from "../../../../src/vit_msn/config.ts";
import { numbers, smallModel } from "../../engine/small_models.ts";

/** The widths of a head, and its prototypes: nothing is a multiple of 8. */
export const HIDDEN = 13, OUTPUT = 7, K = 5;

/** How a small engine works unless a test says otherwise: views of two sizes. */
export const OPTIONS = {
  batchSize: 4,
  randomViews: 1,
  focalViews: 2,
  randomSize: [8, 12],
  focalSize: [4, 6],
  keptPatches: 8,
  usesBatchNorm: true,
} as const satisfies MsnEngineOptions;

/** All parts of the loss. */
export const OBJECTIVE: MsnObjective = {
  temperature: 0.5,
  sharpen: 0.5,
  sinkhornIterations: 1,
  labelSmoothing: 0.1,
  meMaxWeight: 1,
  entropyWeight: 0.25,
};

/** Networks whose weights are random, the target's others than those that learn. */
export function smallNetworks(
  { usesBatchNorm = true, changes = {} }: {
    readonly usesBatchNorm?: boolean;
    readonly changes?: Readonly<Record<string, unknown>>;
  } = {},
): {
  config: ViTMSNConfig;
  network: MsnNetwork;
  target: MsnNetwork;
  prototypes: Tensor<"float32">;
} {
  const { config, weights } = smallModel(changes);
  const moved = new Map([...weights].map(([name, tensor], i): [string, Tensor] => {
    const noise = numbers(300 + i, tensor.data.length);
    const data = Float32Array.from(noise, (x, j) => (tensor.data as Float32Array)[j]! + x / 10);
    return [name, { dtype: "float32", shape: tensor.shape, data }];
  }));
  return {
    config,
    network: { encoder: weights, head: smallHead(config, usesBatchNorm, 200) },
    target: { encoder: moved, head: smallHead(config, usesBatchNorm, 400) },
    prototypes: { dtype: "float32", shape: [K, OUTPUT], data: numbers(500, K * OUTPUT) },
  };
}

function smallHead(
  { hiddenSize: input }: ViTMSNConfig,
  usesBatchNorm: boolean,
  seed: number,
): Map<string, Tensor> {
  const shapes = headShapes({ input, hidden: HIDDEN, output: OUTPUT, usesBatchNorm });
  return new Map([...shapes].map(([name, shape], i): [string, Tensor] => {
    const start = /^bn\d\.weight$/.test(name) ? 1 : 0;
    const data = numbers(seed + i, elementCount(shape)).map((x) => start + x / 2);
    return [name, { dtype: "float32", shape, data }];
  }));
}

/** A batch of views that fits an engine. */
export function smallViews(
  { numChannels }: ViTMSNConfig,
  { batchSize, randomViews, focalViews, randomSize, focalSize }: MsnEngineOptions,
): MsnBatch {
  const pixels = (seed: number, images: number, [height, width]: readonly [number, number]) =>
    numbers(seed, images * numChannels * height * width);
  return {
    target: pixels(600, batchSize, randomSize),
    random: pixels(601, randomViews * batchSize, randomSize),
    focal: pixels(602, focalViews * batchSize, focalSize),
  };
}
