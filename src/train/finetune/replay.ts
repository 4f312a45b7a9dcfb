import * as v from "valibot";
import { checkedJson, positive } from "../../preprocess/checked_json.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { checkInputs } from "../../vit_msn/forward_inputs.ts";
import { MASK_TOKEN, NO_MASK_TOKEN, type ViTMSNWeights } from "../../vit_msn/weights.ts";
import { clipFactor } from "../clip.ts";
import { TrainingEngine } from "../engine/engine.ts";
import type { VectorName } from "../engine/vectors.ts";
import type { Objective } from "../engine/batch.ts";
import type { SimdBuild } from "../../runtime/simd/kernels.ts";
import { labelTargets, softTargets } from "./targets.ts";
import type { TuneMode } from "../tune.ts";

const notNegative = v.pipe(v.number("a number"), v.minValue(0, "0 or more"), v.finite("finite"));
const share = v.pipe(v.number("a number"), v.minValue(0, "0 or more"), v.maxValue(1, "1 or less"));
const belowOne = v.pipe(share, v.ltValue(1, "less than 1"));
const whole = v.pipe(v.number("a number"), v.integer("whole"), v.minValue(0, "0 or more"));
const rank = v.pipe(whole, v.minValue(1, "1 or more"));

/** The settings of a replay, a `train.json`. */
const settingsSchema = v.looseObject({
  problem: v.picklist(
    ["single_label", "soft_targets", "multi_label", "regression"],
    "single_label, soft_targets, multi_label or regression",
  ),
  lr: v.pipe(v.array(notNegative, "a list of numbers"), v.minLength(1, "a learning rate a step")),
  betas: v.optional(v.tuple([belowOne, belowOne], "two numbers"), [0.9, 0.999]),
  eps: v.optional(positive, 1e-8),
  weight_decay: v.optional(notNegative, 0),
  label_smoothing: v.optional(belowOne, 0),
  clip_grad_norm: v.optional(v.nullable(positive), null),
  ema_decay: v.optional(v.nullable(share), null),
  frozen_blocks: v.optional(whole, 0),
  lora: v.optional(v.nullable(v.object({ rank, alpha: positive })), null),
  parameters: v.optional(
    v.record(v.string(), v.object({ lr_scale: notNegative, weight_decay: notNegative })),
    {},
  ),
});

/** The settings of {@linkcode replay}, under the names of `train.json`. */
export type ReplaySettings = v.InferOutput<typeof settingsSchema>;

/**
 * Validates the settings of a replay.
 *
 * @throws {TypeError} if one is missing or invalid; the message names it.
 */
export function parseReplaySettings(json: unknown): ReplaySettings {
  checkedJson(settingsSchema, json, "train.json");
  return v.parse(settingsSchema, json);
}

/** How a replay computes. */
export interface ReplayOptions {
  readonly threads?: number;
  readonly build?: SimdBuild;
}

/**
 * Trains a model on one batch, the same in each step, so that gradients and parameters can be compared with
 * another implementation's.
 *
 * @param inputs `pixel_values` [B, C, H, W], and `labels` [B] or [B, K], or `targets` [B, K]; optionally
 * `kept_patches` [B, k], `bool_masked_pos` [B, N], and for LoRA the adapters as `init.*`.
 * @returns `loss` and `grad_norm` of each step, `logits` and `grad.*` of the first, parameters after the first
 * and the last step as `step1.*` and `stepN.*`, their moving average as `emaN.*`, merged weights as `mergedN.*`.
 * @throws {TypeError} if an input is missing, has another type or numbers that cannot be.
 * @throws {RangeError} if an input of the forward has another shape or values out of range.
 */
export async function replay(
  config: ViTMSNConfig,
  weights: ViTMSNWeights,
  inputs: ReadonlyMap<string, Tensor>,
  settings: ReplaySettings,
  options: ReplayOptions = {},
): Promise<Map<string, Tensor>> {
  const pixels = inputs.get("pixel_values");
  if (!pixels) throw new TypeError("Cannot train: tensor pixel_values is missing");
  const kept = inputs.get("kept_patches");
  const mask = inputs.get("bool_masked_pos");
  const forwardInputs = {
    pixel_values: pixels,
    ...(kept ? { kept_patches: kept } : {}),
    ...(mask ? { bool_masked_pos: mask } : {}),
  };
  checkInputs(forwardInputs, config, true);
  expectFinite(pixels, "pixel_values");
  if (mask && !weights.has(MASK_TOKEN)) throw new TypeError(NO_MASK_TOKEN);
  const [images, , height, width] = pixels.shape as [number, number, number, number];
  if (!weights.has("classifier.weight")) {
    throw new TypeError("Cannot train: the model has no classifier");
  }
  const { lora, frozen_blocks: frozen, lr, ema_decay: emaDecay, clip_grad_norm: clip } = settings;
  if (frozen > config.numHiddenLayers) {
    throw new TypeError(
      `Cannot freeze ${frozen} blocks: the model has ${config.numHiddenLayers}`,
    );
  }
  const tune: TuneMode = lora
    ? { kind: "lora", ...lora }
    : frozen === 0
    ? { kind: "all" }
    : { kind: "last", blocks: config.numHiddenLayers - frozen };
  using engine = await TrainingEngine.start(config, weights, {
    tune,
    batchSize: images,
    imageSize: [height, width],
    masks: mask !== undefined,
    keepsAverage: emaDecay !== null,
    ...(kept ? { keptPatches: kept.shape[1]! } : {}),
    ...options,
  });
  const outside = prefixed(weights.has("classifier.weight"));
  if (lora) await startAdapters(engine, inputs, outside);
  const { names } = engine.parameters;
  if (emaDecay !== null) {
    for (const name of names) engine.write("average", name, engine.read("parameters", name).data);
  }
  const batch = {
    images,
    pixelValues: pixels.data as Float32Array,
    ...(kept ? { keptPatches: Int32Array.from(kept.data as ArrayLike<number>, Number) } : {}),
    ...(mask ? { maskedPatches: Uint8Array.from(mask.data as ArrayLike<number>, Number) } : {}),
  };
  const objective = objectiveOf(
    inputs,
    settings,
    images,
    weights.get("classifier.weight")!.shape[0]!,
  );
  const results = new Map<string, Tensor>();
  const put = (prefix: string, vector: VectorName) => {
    for (const name of names) results.set(`${prefix}.${outside(name)}`, engine.read(vector, name));
  };
  const losses = new Float32Array(lr.length);
  const norms = new Float32Array(lr.length);
  for (let step = 1; step <= lr.length; step++) {
    const { loss, norm, logits } = await engine.gradients(batch, objective);
    losses[step - 1] = loss;
    norms[step - 1] = norm;
    if (step === 1) {
      const shape = [images, logits.length / images];
      results.set("logits", { dtype: "float32", shape, data: logits });
      put("grad", "gradients");
    }
    await engine.step({
      betas: settings.betas,
      eps: settings.eps,
      step,
      clip: clip === null ? 1 : clipFactor(norm, clip),
      emaDecay: emaDecay ?? 0,
      groupOf(name) {
        const group = settings.parameters[outside(name)];
        return {
          learningRate: lr[step - 1]! * (group?.lr_scale ?? 1),
          weightDecay: group?.weight_decay ?? settings.weight_decay,
        };
      },
    });
    if (step === 1 || step === lr.length) put(`step${step}`, "parameters");
  }
  if (emaDecay !== null) put(`ema${lr.length}`, "average");
  if (lora) {
    const merged = engine.weights();
    for (const name of names.filter((name) => name.endsWith(".lora_A.weight"))) {
      const weight = name.replace(".lora_A", "");
      results.set(`merged${lr.length}.${outside(weight)}`, merged.get(weight)!);
    }
  }
  const vector = (data: Float32Array): Tensor => ({ dtype: "float32", shape: [lr.length], data });
  results.set("loss", vector(losses));
  results.set("grad_norm", vector(norms));
  return results;
}

/** Hugging Face's names in a model with a classifier. */
function prefixed(hasClassifier: boolean): (name: string) => string {
  return (name) => hasClassifier && !name.startsWith("classifier.") ? `vit.${name}` : name;
}

/** Starts adapters at given values: A is random otherwise, and B is 0. */
async function startAdapters(
  engine: TrainingEngine,
  inputs: ReadonlyMap<string, Tensor>,
  outside: (name: string) => string,
): Promise<void> {
  for (const name of engine.parameters.names.filter((name) => name.includes(".lora_"))) {
    const given = inputs.get(`init.${outside(name)}`);
    if (!given) throw new TypeError(`Cannot train adapters: init.${outside(name)} is missing`);
    engine.write("parameters", name, given.data as Float32Array);
  }
  await engine.refresh();
}

function objectiveOf(
  inputs: ReadonlyMap<string, Tensor>,
  { problem, label_smoothing: labelSmoothing }: ReplaySettings,
  images: number,
  classCount: number,
): Objective {
  const needed = problem === "soft_targets" ? "targets" : "labels";
  const given = inputs.get(needed);
  if (!given) throw new TypeError(`Cannot train: tensor ${needed} is missing`);
  if (problem === "single_label") {
    expectShape(given, "labels", [images]);
    const labels = Array.from(given.data as ArrayLike<number | bigint>, Number);
    const wrong = labels.find((label) =>
      !(Number.isInteger(label) && label >= 0 && label < classCount)
    );
    if (wrong !== undefined) {
      throw new TypeError(`Cannot train: label ${wrong} is none of the ${classCount} classes`);
    }
    return { loss: "cross_entropy", targets: labelTargets(labels, classCount, { labelSmoothing }) };
  }
  expectShape(given, needed, [images, classCount]);
  expectFinite(given, needed);
  const rows = Float32Array.from(given.data as ArrayLike<number>, Number);
  if (problem === "soft_targets") {
    return { loss: "cross_entropy", targets: softTargets(rows, classCount) };
  }
  return {
    loss: problem === "multi_label" ? "binary_cross_entropy" : "mean_squared_error",
    targets: rows,
    factor: 1 / (images * classCount),
  };
}

function expectShape(tensor: Tensor, name: string, shape: readonly number[]): void {
  if (tensor.shape.join() === shape.join()) return;
  throw new TypeError(`Cannot train: ${name} is [${tensor.shape}], not [${shape}]`);
}

function expectFinite({ data }: Tensor, name: string): void {
  const wrong = Array.prototype.find.call(data, (x) => !Number.isFinite(Number(x)));
  if (wrong !== undefined) {
    throw new TypeError(`Cannot train: ${name} has ${wrong}, not only finite numbers`);
  }
}
