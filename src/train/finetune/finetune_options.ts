import { lowestBlock, type TuneMode } from "../tune.ts";
import type { SimdBuild } from "../../runtime/simd/kernels.ts";
import type { CreateWorker } from "../../runtime/simd/thread_pool.ts";
import type { ClassWeight } from "../../heads/fit/samples.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";

/** How {@linkcode finetune} trains. Defaults depend on the number of images and on what learns. */
export interface FinetuneOptions {
  /** How much learns; `head` fits a classifier on frozen features. Default `auto`. */
  readonly tune?: TuneMode | { readonly kind: "auto" } | { readonly kind: "head" };
  /** Default such that 20,000 images are seen, from 6 to 40. */
  readonly epochs?: number;
  /** Default 32. */
  readonly batchSize?: number;
  /** The peak of the learning rate. */
  readonly learningRate?: number;
  /** The factor of the learning rate from layer to layer below; default 0.75. */
  readonly layerDecay?: number;
  /** Default 0.05. */
  readonly weightDecay?: number;
  /** The share of the steps in which the learning rate rises; default 0.1. */
  readonly warmup?: number;
  /** Default 0.1. */
  readonly labelSmoothing?: number;
  /** Alpha of mixup; default 0, off. */
  readonly mixup?: number;
  /** Alpha of CutMix; default 0, off. */
  readonly cutmix?: number;
  /** The share of images that lose a rectangle; default 0. */
  readonly randomErasing?: number;
  /** Whether RandAugment changes images, too; default no. */
  readonly randAugment?: boolean;
  /** The smallest share of an image's area that a crop keeps; default 0.4. */
  readonly cropScale?: number;
  /** Whether images are mirrored; default yes. */
  readonly mirror?: boolean;
  /** The share of blocks' branches that are left out, at the last block; default 0. */
  readonly dropPath?: number;
  /** The share of patches that go on in training; default 1. */
  readonly keepPatches?: number;
  /** The share of the moving average that stays at each step; 0 is no average. Default 0.98. */
  readonly emaDecay?: number;
  /** Whether rare classes count more; default `none`. */
  readonly classWeight?: ClassWeight;
  /** Epochs without a better result on held-out images after which training ends; default never. */
  readonly earlyStopping?: number;
  /** The norm to which gradients are clipped; default 1. */
  readonly clip?: number;
  /** Views of each image whose frozen blocks are computed once, for `last`; default 3. 0 computes all anew. */
  readonly cachedViews?: number;
  /** The share of images of the classes that may be labelled unknown; default 0.05. */
  readonly falseRejectionRate?: number;
  /** The seed of all random choices; default 0. */
  readonly seed?: number;
  /** Default 1; one, too, where threads cannot share memory. The result depends on it in its last bits. */
  readonly threads?: number;
  /** When to end early, in seconds; the schedule of the learning rate is not shortened. */
  readonly timeLimit?: number;
  /** Which kernels; default the fastest that the host can run. */
  readonly build?: SimdBuild;
  /** Starts a worker that runs `train/engine/worker.ts`; for bundles, in which that module is elsewhere. */
  readonly createWorker?: CreateWorker;
}

/** The settings of a training, all decided: what {@linkcode FinetuneOptions} has, without choices left. */
export type FinetuneSettings =
  & { /** What learns. */ readonly tune: TuneMode }
  & Required<
    Omit<
      FinetuneOptions,
      "tune" | "falseRejectionRate" | "threads" | "timeLimit" | "build" | "createWorker"
    >
  >;

/** Images that training sees by default, all epochs together. */
const IMAGES_SEEN = 20_000;
const MIN_EPOCHS = 6;
const MAX_EPOCHS = 40;
/** The width of the model on which the default learning rates were measured. */
const MEASURED_WIDTH = 192;

/**
 * Decides the settings that the options leave open.
 *
 * @param images the number of images to train on.
 * @param config the model's: wider ones learn with smaller steps.
 */
export function decideSettings(
  options: FinetuneOptions,
  tune: TuneMode,
  images: number,
  config: ViTMSNConfig,
): FinetuneSettings {
  const epochs = Math.ceil(IMAGES_SEEN / images);
  const rate = (tune.kind === "lora" ? 3e-3 : 1e-3) *
    Math.min(1, MEASURED_WIDTH / config.hiddenSize);
  const mixes = (options.mixup ?? 0) > 0 || (options.cutmix ?? 0) > 0;
  return {
    tune,
    epochs: options.epochs ?? Math.min(MAX_EPOCHS, Math.max(MIN_EPOCHS, epochs)),
    batchSize: Math.min(options.batchSize ?? 32, images),
    learningRate: options.learningRate ?? rate,
    layerDecay: options.layerDecay ?? 0.75,
    weightDecay: options.weightDecay ?? 0.05,
    warmup: options.warmup ?? 0.1,
    labelSmoothing: options.labelSmoothing ?? 0.1,
    mixup: options.mixup ?? 0,
    cutmix: options.cutmix ?? 0,
    randomErasing: options.randomErasing ?? 0,
    randAugment: options.randAugment ?? false,
    cropScale: options.cropScale ?? 0.4,
    mirror: options.mirror ?? true,
    dropPath: options.dropPath ?? 0,
    keepPatches: options.keepPatches ?? 1,
    emaDecay: options.emaDecay ?? 0.98,
    classWeight: options.classWeight ?? "none",
    earlyStopping: options.earlyStopping ?? Infinity,
    clip: options.clip ?? 1,
    // Mixing changes pixels, so that no output of a frozen block can be kept; and there must be one.
    cachedViews: lowestBlock(tune, config) > 0 && !mixes && (options.keepPatches ?? 1) === 1
      ? options.cachedViews ?? 3
      : 0,
    seed: options.seed ?? 0,
  };
}

const RANGES: readonly [keyof FinetuneOptions, number, number][] = [
  ["epochs", 1, 10_000],
  ["batchSize", 1, 4096],
  ["learningRate", 0, 1e6],
  ["layerDecay", 0, 1],
  ["weightDecay", 0, 10],
  ["warmup", 0, 1],
  ["labelSmoothing", 0, 0.99],
  ["mixup", 0, 100],
  ["cutmix", 0, 100],
  ["randomErasing", 0, 1],
  ["cropScale", 0.01, 1],
  ["dropPath", 0, 0.9],
  ["keepPatches", 0.01, 1],
  ["emaDecay", 0, 0.999999],
  ["earlyStopping", 1, 10_000],
  ["clip", 1e-6, 1e6],
  ["cachedViews", 0, 100],
  ["falseRejectionRate", 0, 0.99],
  ["timeLimit", 0, 1e9],
];

/**
 * Checks the ranges of options.
 *
 * @throws {RangeError} if one is out of range; the message names it.
 */
export function checkFinetuneOptions(options: FinetuneOptions): void {
  for (const [name, min, max] of RANGES) {
    const value = options[name];
    if (value === undefined || typeof value === "number" && value >= min && value <= max) continue;
    throw new RangeError(`Cannot train: ${name} is ${value}, not a number from ${min} to ${max}`);
  }
  for (const name of ["epochs", "batchSize", "earlyStopping", "cachedViews", "seed"] as const) {
    const value = options[name];
    if (value === undefined || Number.isSafeInteger(value)) continue;
    throw new RangeError(`Cannot train: ${name} is ${value}, not an integer`);
  }
  if (options.tune) checkTune(options.tune);
}

/**
 * Checks what learns.
 *
 * @throws {RangeError} if a number of blocks or a rank is not an integer of at least 1.
 */
export function checkTune(tune: NonNullable<FinetuneOptions["tune"]>): void {
  const [name, count] = tune.kind === "last"
    ? ["blocks", tune.blocks]
    : tune.kind === "lora"
    ? ["rank", tune.rank]
    : ["", 1];
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Cannot train: ${name} is ${count}, not an integer of at least 1`);
  }
  if (tune.kind === "lora" && !Number.isFinite(tune.alpha)) {
    throw new RangeError(`Cannot train: alpha is ${tune.alpha}, not a finite number`);
  }
}
