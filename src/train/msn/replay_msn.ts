import * as v from "valibot";
import { checkedJson, positive } from "../../preprocess/checked_json.ts";
import type { SimdBuild } from "../../runtime/simd/kernels.ts";
import { toFloat32 } from "../../tensor/float16.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "../../vit_msn/config.ts";
import { toWeights } from "../../vit_msn/weights.ts";
import { clipFactor } from "../clip.ts";
import type { MsnBatch, MsnObjective } from "./engine/msn_batch.ts";
import { MsnEngine } from "./engine/msn_engine.ts";
import { type MsnNetwork, PROTOTYPES } from "./engine/msn_network.ts";
import { HEAD } from "./engine/projection_head.ts";

const notNegative = v.pipe(v.number("a number"), v.minValue(0, "0 or more"), v.finite("finite"));
const share = v.pipe(v.number("a number"), v.minValue(0, "0 or more"), v.maxValue(1, "1 or less"));
const belowOne = v.pipe(share, v.ltValue(1, "less than 1"));
const whole = v.pipe(v.number("a number"), v.integer("whole"), v.minValue(0, "0 or more"));

/** The settings of a replay of MSN, a `train.json`. */
const settingsSchema = v.looseObject({
  lr: v.pipe(v.array(notNegative, "a list of numbers"), v.minLength(1, "a learning rate a step")),
  weight_decay: v.pipe(v.array(notNegative, "a list of numbers"), v.minLength(1, "one a step")),
  momentum: v.pipe(v.array(share, "a list of numbers"), v.minLength(1, "one a step")),
  temperature: v.optional(positive, 0.1),
  sharpen: v.optional(positive, 0.25),
  me_max_weight: v.optional(notNegative, 1),
  entropy_weight: v.optional(notNegative, 0),
  label_smoothing: v.optional(belowOne, 0),
  sinkhorn_iterations: v.optional(whole, 0),
  betas: v.optional(v.tuple([belowOne, belowOne], "two numbers"), [0.9, 0.999]),
  eps: v.optional(positive, 1e-8),
  clip_grad_norm: v.optional(v.nullable(positive), null),
  no_weight_decay: v.optional(v.array(v.string("names")), []),
});

/** The settings of {@linkcode replayMsn}, under the names of `train.json`. */
export type MsnReplaySettings = v.InferOutput<typeof settingsSchema>;

/**
 * Validates the settings of a replay of MSN.
 *
 * @throws {TypeError} if one is missing or invalid; the message names it.
 */
export function parseMsnReplaySettings(json: unknown): MsnReplaySettings {
  checkedJson(settingsSchema, json, "train.json");
  const settings = v.parse(settingsSchema, json);
  for (const name of ["weight_decay", "momentum"] as const) {
    if (settings[name].length === settings.lr.length) continue;
    throw new TypeError(
      `Cannot read train.json: ${name} has ${
        settings[name].length
      } numbers, lr ${settings.lr.length}`,
    );
  }
  return settings;
}

/**
 * Makes steps of MSN on one batch, the same in each step, so that gradients and parameters can be compared with
 * another implementation's.
 *
 * @param tensors the encoder's, `fc.*` and `prototypes`; the target's with `target.` in front, or none: a copy.
 * @param inputs `target_pixel_values` [B, C, H, W], `anchor_pixel_values` [B, C, H, W] or [views, B, C, H, W] and
 * `focal_pixel_values` [views, B, C, h, w]; optionally `keep` [views · B, k], the anchors' patches that go on.
 * @returns `cross_entropy`, `me_max`, `entropy`, `loss` and `grad_norm` of each step; of the first step
 * `anchor_features`, `anchor_projections`, `anchor_probabilities`, `target_projections`, `target_probabilities`,
 * `grad.*` and the running statistics as `forward1.*`; after the last of N steps parameters and statistics as
 * `stepN.*`, the target's as `targetN.*`.
 * @throws {TypeError} if a tensor is missing or has another shape.
 */
export async function replayMsn(
  config: ViTMSNConfig,
  tensors: ReadonlyMap<string, Tensor>,
  inputs: ReadonlyMap<string, Tensor>,
  settings: MsnReplaySettings,
  options: { readonly threads?: number; readonly build?: SimdBuild } = {},
): Promise<Map<string, Tensor>> {
  const network = networkOf(tensors, "", config);
  const hasTarget = [...tensors.keys()].some((name) => name.startsWith(TARGET));
  const target = hasTarget ? networkOf(tensors, TARGET, config) : network;
  const prototypes = tensors.get(PROTOTYPES);
  if (!prototypes) throw new TypeError("Cannot pre-train: the model has no prototypes");
  const { batch, shape } = batchOf(inputs, config);
  using engine = await MsnEngine.start(config, network, target, toFloat32(prototypes), {
    ...shape,
    usesBatchNorm: network.head.has("bn1.weight"),
    ...options,
  });
  const objective: MsnObjective = {
    temperature: settings.temperature,
    sharpen: settings.sharpen,
    sinkhornIterations: settings.sinkhorn_iterations,
    labelSmoothing: settings.label_smoothing,
    meMaxWeight: settings.me_max_weight,
    entropyWeight: settings.entropy_weight,
  };
  const results = new Map<string, Tensor>();
  const steps = settings.lr.length;
  const series = new Map(
    ["cross_entropy", "me_max", "entropy", "loss", "grad_norm"].map((name) =>
      [name, new Float32Array(steps)] as const
    ),
  );
  for (let step = 1; step <= steps; step++) {
    const losses = await engine.gradients(batch, objective);
    const { crossEntropy, meMax, entropy, loss, norm } = losses;
    [crossEntropy, meMax, entropy, loss, norm].forEach((value, i) =>
      [...series.values()][i]![step - 1] = value
    );
    if (step === 1) {
      putFirst(engine, results, shape.batchSize);
      for (const [name, tensor] of buffersAfter(engine, 1)) results.set(`forward1.${name}`, tensor);
    }
    await engine.step({
      betas: settings.betas,
      eps: settings.eps,
      step,
      clip: settings.clip_grad_norm === null ? 1 : clipFactor(norm, settings.clip_grad_norm),
      emaDecay: settings.momentum[step - 1]!,
      groupOf: (name) => ({
        learningRate: settings.lr[step - 1]!,
        weightDecay: settings.no_weight_decay.includes(name) ? 0 : settings.weight_decay[step - 1]!,
        isClipped: name !== PROTOTYPES,
      }),
    });
  }
  for (const name of engine.parameters.names) {
    results.set(`step${steps}.${name}`, engine.read("parameters", name));
    if (name !== PROTOTYPES) results.set(`target${steps}.${name}`, engine.read("average", name));
  }
  for (const [name, tensor] of buffersAfter(engine, steps)) {
    const [prefix, rest] = name.startsWith(TARGET)
      ? ["target", name.slice(TARGET.length)]
      : ["step", name];
    results.set(`${prefix}${steps}.${rest}`, tensor);
  }
  for (const [name, data] of series) results.set(name, floats([steps], data));
  return results;
}

/** What the target's tensors begin with. */
const TARGET = "target.";

function floats(shape: number[], data: Float32Array): Tensor<"float32"> {
  return { dtype: "float32", shape, data };
}

/** The heads' running statistics, with PyTorch's counts of the forwards behind them. */
function buffersAfter(engine: MsnEngine, steps: number): Map<string, Tensor> {
  const buffers = new Map<string, Tensor>();
  for (const [name, data] of engine.buffers()) {
    buffers.set(name, floats([data.length], data.slice()));
    const forwards = steps * (name.startsWith(TARGET) ? 1 : engine.anchorGroups);
    const count = BigInt64Array.of(BigInt(forwards));
    const counted = name.replace(/running_\w+$/, "num_batches_tracked");
    buffers.set(counted, { dtype: "int64", shape: [], data: count });
  }
  return buffers;
}

function putFirst(engine: MsnEngine, results: Map<string, Tensor>, images: number): void {
  const last = engine.lastBatch();
  const put = (name: string, data: Float32Array, columns: number) =>
    results.set(name, floats([data.length / columns, columns], data));
  const { hiddenSize: D } = engine.config;
  const outputs = last.targetProjections.length / images;
  const K = last.targetProbabilities.length / images;
  put("anchor_features", last.anchorFeatures, D);
  put("anchor_projections", last.anchorProjections, outputs);
  put("anchor_probabilities", last.anchorProbabilities, K);
  put("target_projections", last.targetProjections, outputs);
  put("target_probabilities_unsharpened", last.unsharpenedProbabilities, K);
  put("target_probabilities", last.targetProbabilities, K);
  for (const name of engine.parameters.names) {
    results.set(`grad.${name}`, engine.read("gradients", name));
  }
}

/** The network whose tensors begin with a prefix. */
function networkOf(
  tensors: ReadonlyMap<string, Tensor>,
  prefix: string,
  config: ViTMSNConfig,
): MsnNetwork {
  const encoder = new Map<string, Tensor>();
  const head = new Map<string, Tensor>();
  for (const [full, tensor] of tensors) {
    if (!full.startsWith(prefix) || full === PROTOTYPES) continue;
    const name = full.slice(prefix.length);
    if (name.startsWith(HEAD)) {
      const isCount = name.endsWith(".num_batches_tracked");
      if (!isCount) head.set(name.slice(HEAD.length), toFloat32(tensor));
    } else if (prefix !== "" || !name.startsWith(TARGET)) encoder.set(name, tensor);
  }
  if (!head.has("fc1.weight")) {
    throw new TypeError(`Cannot pre-train: tensor ${prefix}${HEAD}fc1.weight is missing`);
  }
  return { encoder: toWeights(encoder, config), head };
}

function batchOf(inputs: ReadonlyMap<string, Tensor>, config: ViTMSNConfig) {
  const { numChannels: C, patchSize } = config;
  const views = (name: string): { data: Float32Array; shape: number[] } => {
    const tensor = inputs.get(name);
    if (!tensor) throw new TypeError(`Cannot pre-train: tensor ${name} is missing`);
    const shape = [...tensor.shape];
    if (shape.length === 4) shape.unshift(1);
    const [, , channels, H, W] = shape;
    const isImage = tensor.dtype === "float32" && shape.length === 5 && channels === C &&
      H! % patchSize[0] === 0 && W! % patchSize[1] === 0;
    if (!isImage) {
      throw new TypeError(
        `Cannot pre-train: ${name} is ${tensor.dtype} [${tensor.shape}], not float32 images of ` +
          `${C} channels, whose sides are multiples of ${patchSize.join(" × ")}`,
      );
    }
    return { data: tensor.data as Float32Array, shape };
  };
  const target = views("target_pixel_values");
  const random = views("anchor_pixel_values");
  const focal = inputs.has("focal_pixel_values")
    ? views("focal_pixel_values")
    : { data: new Float32Array(), shape: [0, ...target.shape.slice(1)] };
  const [targets, batchSize, , H, W] = target.shape as [number, number, number, number, number];
  const isOne = targets === 1 && random.shape.slice(1).join() === target.shape.slice(1).join() &&
    focal.shape[1] === batchSize;
  if (!isOne) throw new TypeError("Cannot pre-train: the views are not of the same images");
  if (batchSize < 2) throw new TypeError("Cannot pre-train on one image: BatchNorm takes two");
  const [rows, columns] = patchGrid({ imageSize: [H, W], patchSize });
  const keep = inputs.get("keep");
  const randomViews = random.shape[0]!;
  if (keep && !(keep.shape.length === 2 && keep.shape[0] === randomViews * batchSize)) {
    throw new TypeError(
      `Cannot pre-train: keep is [${keep.shape}], not a row for each of ${
        randomViews * batchSize
      } anchors`,
    );
  }
  const batch: MsnBatch = {
    target: target.data,
    random: random.data,
    focal: focal.data,
    ...(keep ? { keptPatches: Int32Array.from(keep.data as ArrayLike<number>, Number) } : {}),
  };
  return {
    batch,
    shape: {
      batchSize,
      randomViews,
      focalViews: focal.shape[0]!,
      randomSize: [H, W] as const,
      focalSize: [focal.shape[3]!, focal.shape[4]!] as const,
      keptPatches: keep?.shape[1] ?? rows * columns,
    },
  };
}
