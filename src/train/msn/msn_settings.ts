import type { ModelName } from "./model_names.ts";

/** The settings of MSN pre-training, all decided, under the names of facebookresearch/msn. */
export interface MsnSettings {
  /** The loss. */
  readonly criterion: {
    /** τ, which divides the cosine similarities of views and prototypes. */
    readonly temperature: number;
    /** T at the first step: targets are raised to the power 1/T. */
    readonly start_sharpen: number;
    /** T at the end of the stretched schedule. */
    readonly final_sharpen: number;
    /** Whether the entropy of the mean prediction is maximised, so that all prototypes are used. */
    readonly me_max: boolean;
    /** The weight of that term in the loss. */
    readonly memax_weight: number;
    /** Whether the entropy of the predictions is computed; it enters the loss by its weight. */
    readonly use_ent: boolean;
    /** The weight of the predictions' entropy in the loss. */
    readonly ent_weight: number;
    /** K, the number of prototypes. */
    readonly num_proto: number;
    /** Whether prototypes stay as they are initialised. */
    readonly freeze_proto: boolean;
    /** Whether targets are spread evenly over prototypes by Sinkhorn's algorithm. */
    readonly use_sinkhorn: boolean;
    /** The iterations of Sinkhorn's algorithm, if it is used. The authors' code has 3 built in. */
    readonly sinkhorn_iterations: number;
    /** Images of a step; an incomplete batch at the end of an epoch is left out. */
    readonly batch_size: number;
  };
  /** The views. */
  readonly data: {
    /** Height and width of the target view and the random views, in pixels. */
    readonly rand_size: number;
    /** Height and width of the focal views, in pixels. */
    readonly focal_size: number;
    /** Random anchor views of an image. */
    readonly rand_views: number;
    /** Focal anchor views of an image. */
    readonly focal_views: number;
    /** The share of patches that random anchor views lose. */
    readonly patch_drop: number;
    /** s: brightness, contrast and saturation change by up to 0.8 s, the hue by up to 0.2 s. */
    readonly color_jitter_strength: number;
    /** The largest radius of a blur, in pixels of a view. The authors' code has 2, for views of 224. */
    readonly blur_radius: number;
    /** The share of views that are solarised. The authors' code solarises none. */
    readonly solarize: number;
    /** The share of a prototype's label that goes to all prototypes alike. */
    readonly label_smoothing: number;
  };
  /** The projection head and the encoder. */
  readonly meta: {
    /** The width of the head's hidden layers. */
    readonly hidden_dim: number;
    /** The width of projections and prototypes. */
    readonly output_dim: number;
    /** Whether the head has BatchNorm. */
    readonly use_bn: boolean;
    /** The share of residual branches that the last block leaves out; it rises from 0 at the first. */
    readonly drop_path_rate: number;
  };
  /** AdamW and its schedules. */
  readonly optimization: {
    /** The norm to which the gradients of encoder and head are clipped; 0 is off. */
    readonly clip_grad: number;
    /** Passes over the images. */
    readonly epochs: number;
    /** Epochs in which the learning rate rises, also in part. */
    readonly warmup: number;
    /** The learning rate from which the warm-up starts. */
    readonly start_lr: number;
    /** The peak of the learning rate. */
    readonly lr: number;
    /** The learning rate at the end of the stretched schedule. */
    readonly final_lr: number;
    /** The weight decay at the start. */
    readonly weight_decay: number;
    /** The weight decay at the end of the stretched schedule. */
    readonly final_weight_decay: number;
    /** The share of the target network that stays at the first step; the authors' code has 0.996 built in. */
    readonly start_momentum: number;
    /** That share at the end of the stretched schedule. The authors' code has 1. */
    readonly final_momentum: number;
  };
}

/** A configuration: {@linkcode MsnSettings} of which all may be left open, and the model's name. */
export interface MsnConfig {
  /** The loss. */
  readonly criterion?: Partial<MsnSettings["criterion"]>;
  /** The views. */
  readonly data?: Partial<MsnSettings["data"]>;
  /** The projection head and the encoder. */
  readonly meta?: Partial<MsnSettings["meta"]> & {
    /** The shape of a model that is trained from scratch. */
    readonly model_name?: ModelName;
  };
  /** AdamW and its schedules. */
  readonly optimization?: Partial<MsnSettings["optimization"]>;
}

/** What the defaults of {@linkcode decideMsnSettings} depend on. */
export interface MsnContext {
  /** The number of images to train on. */
  readonly images: number;
  /** The model's height and width in pixels. */
  readonly imageSize: number;
  /** Height and width of the model's patches in pixels. */
  readonly patchSize: number;
  /** D, the width of the model's tokens. */
  readonly hiddenSize: number;
  /** Whether the model starts from random weights. */
  readonly isFromScratch: boolean;
}

/** Images that training sees by default, all epochs together. */
const IMAGES_SEEN = { fromScratch: 500_000, fromWeights: 100_000 };
const MIN_EPOCHS = 5;
const MAX_EPOCHS = 800;
/** Images for each prototype; ImageNet has 1,281,167 for the authors' 1024, small sets have far fewer. */
const IMAGES_A_PROTOTYPE = 192;
const MIN_PROTOTYPES = 64;
const MAX_PROTOTYPES = 1024;
/**
 * Prototypes for each image of a batch: Sinkhorn spreads the batch over all of them, so that with more, targets
 * say little. The authors' batch is as large as their prototypes are many.
 */
const PROTOTYPES_AN_IMAGE = 2;
/**
 * The share of the target that stays at each step, at first. The authors' is for 10⁵ steps and more; in a short
 * training, the target would stay near its start.
 */
const START_MOMENTUM = { short: 0.99, long: 0.996 };
const SHORT_STEPS = 20_000;
/** Views below this size, in pixels, have few patches: fewer focal views, and fewer patches dropped. */
const SMALL_VIEW = 100;
/** The authors' focal views of 96 pixels for images of 224. */
const FOCAL_SHARE = 0.43;
/** The authors' largest blur, in pixels, and the size of their views: on smaller ones, it would leave nothing to see. */
const PUBLISHED_BLUR = 2;
const PUBLISHED_SIZE = 224;
/** The width of the model on which going on from weights was measured; wider ones take smaller steps. */
const MEASURED_WIDTH = 192;
/** Patches along the side of a focal view: with fewer, there is too little to see. */
const MIN_FOCAL_PATCHES = 5;

/**
 * Decides the settings that a configuration leaves open, for sets and models that are small beside ImageNet
 * and ViT-S/16, and checks the settings against one another and against the model.
 *
 * @throws {RangeError} if settings do not fit one another, the model or the number of images.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decideMsnSettings } from "./msn_settings.ts";
 *
 * const context = { images: 3000, imageSize: 32, patchSize: 4, hiddenSize: 192, isFromScratch: false };
 * const { criterion, data, optimization } = decideMsnSettings({ data: { focal_views: 3 } }, context);
 * assertEquals(criterion.batch_size, 64);
 * assertEquals([data.rand_size, data.focal_size, data.focal_views], [32, 20, 3]);
 * assertEquals(optimization.epochs, 34);
 * ```
 */
export function decideMsnSettings(config: MsnConfig, context: MsnContext): MsnSettings {
  const { images, imageSize, patchSize, hiddenSize, isFromScratch } = context;
  if (!(images >= 2)) {
    throw new RangeError(`Cannot pre-train: there are ${images} images; give at least 2`);
  }
  const { criterion, data, meta, optimization } = config;
  // Pixels beyond the last whole patch are ignored by the model, too.
  const randSize = data?.rand_size ?? imageSize - imageSize % patchSize;
  const isSmall = randSize < SMALL_VIEW;
  const focalPatches = Math.max(MIN_FOCAL_PATCHES, Math.round(FOCAL_SHARE * imageSize / patchSize));
  const batchSize = criterion?.batch_size ?? Math.min(64, images);
  const prototypes = Math.min(
    2 ** Math.round(Math.log2(images / IMAGES_A_PROTOTYPE)),
    PROTOTYPES_AN_IMAGE * batchSize,
  );
  const seen = isFromScratch ? IMAGES_SEEN.fromScratch : IMAGES_SEEN.fromWeights;
  const epochs = optimization?.epochs ?? clamp(Math.ceil(seen / images), MIN_EPOCHS, MAX_EPOCHS);
  const rate = optimization?.lr ??
    (isFromScratch ? 1e-3 : 1e-3 * Math.min(1, MEASURED_WIDTH / hiddenSize));
  const length = epochs * Math.floor(images / batchSize) < SHORT_STEPS ? "short" : "long";
  const finalMomentum = optimization?.final_momentum ?? 1;
  const settings: MsnSettings = {
    criterion: {
      temperature: criterion?.temperature ?? 0.1,
      start_sharpen: criterion?.start_sharpen ?? 0.25,
      final_sharpen: criterion?.final_sharpen ?? 0.25,
      me_max: criterion?.me_max ?? true,
      memax_weight: criterion?.memax_weight ?? 1,
      use_ent: criterion?.use_ent ?? true,
      ent_weight: criterion?.ent_weight ?? 0,
      num_proto: criterion?.num_proto ?? clamp(prototypes, MIN_PROTOTYPES, MAX_PROTOTYPES),
      freeze_proto: criterion?.freeze_proto ?? false,
      use_sinkhorn: criterion?.use_sinkhorn ?? true,
      sinkhorn_iterations: criterion?.sinkhorn_iterations ?? 3,
      batch_size: batchSize,
    },
    data: {
      rand_size: randSize,
      focal_size: data?.focal_size ?? Math.min(patchSize * focalPatches, randSize),
      rand_views: data?.rand_views ?? 1,
      focal_views: data?.focal_views ?? (isSmall ? 2 : 4),
      patch_drop: data?.patch_drop ?? (isSmall ? 0.25 : 0.5),
      color_jitter_strength: data?.color_jitter_strength ?? 0.5,
      blur_radius: data?.blur_radius ?? Math.min(1, randSize / PUBLISHED_SIZE) * PUBLISHED_BLUR,
      solarize: data?.solarize ?? 0,
      label_smoothing: data?.label_smoothing ?? 0,
    },
    meta: {
      hidden_dim: meta?.hidden_dim ?? Math.min(2048, 4 * hiddenSize),
      output_dim: meta?.output_dim ?? Math.min(256, hiddenSize),
      use_bn: meta?.use_bn ?? true,
      drop_path_rate: meta?.drop_path_rate ?? 0,
    },
    optimization: {
      clip_grad: optimization?.clip_grad ?? 3,
      epochs,
      warmup: optimization?.warmup ?? epochs / 10,
      start_lr: optimization?.start_lr ?? rate / 5,
      lr: rate,
      final_lr: optimization?.final_lr ?? Math.min(1e-6, rate),
      weight_decay: optimization?.weight_decay ?? 0.04,
      final_weight_decay: optimization?.final_weight_decay ?? 0.4,
      start_momentum: optimization?.start_momentum ??
        Math.min(START_MOMENTUM[length], finalMomentum),
      final_momentum: finalMomentum,
    },
  };
  check(settings, context);
  return settings;
}

function check(
  { criterion, data, optimization }: MsnSettings,
  { images, patchSize }: MsnContext,
): void {
  const { batch_size: batch } = criterion;
  if (batch > images) {
    throw new RangeError(
      `Cannot pre-train: the batch has ${batch} images, the set ${images}; ` +
        `give --batch-size ${images} or less, or more images`,
    );
  }
  checkSize("data.rand_size", data.rand_size, patchSize);
  if (data.focal_views > 0) checkSize("data.focal_size", data.focal_size, patchSize);
  const patches = (data.rand_size / patchSize) ** 2;
  if (Math.floor(patches * (1 - data.patch_drop)) < 1) {
    throw new RangeError(
      `Cannot pre-train: data.patch_drop ${data.patch_drop} leaves none of ${patches} patches; ` +
        "lower it",
    );
  }
  for (const name of ["start_lr", "final_lr"] as const) {
    if (optimization[name] <= optimization.lr) continue;
    throw new RangeError(
      `Cannot pre-train: optimization.${name} is ${optimization[name]}, more than the peak ` +
        `optimization.lr ${optimization.lr}; lower it or raise optimization.lr`,
    );
  }
  const { start_momentum: start, final_momentum: final } = optimization;
  if (start > final) {
    throw new RangeError(
      `Cannot pre-train: optimization.start_momentum is ${start}, more than ` +
        `optimization.final_momentum ${final}; lower it`,
    );
  }
}

/** Views are whole patches. */
function checkSize(name: string, size: number, patchSize: number): void {
  if (size > 0 && size % patchSize === 0) return;
  const below = size - size % patchSize;
  const allowed = below > 0 ? `${below} or ${below + patchSize}` : `${patchSize}`;
  throw new RangeError(
    `Cannot pre-train: ${name} is ${size}, not a multiple of the model's patch size ` +
      `${patchSize}; give ${allowed}`,
  );
}

function clamp(x: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, x));
}
