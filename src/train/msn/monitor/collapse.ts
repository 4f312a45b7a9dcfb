import type { PretrainMonitorRecord } from "./monitor_record.ts";

/** The settings of a pre-training, under the names of MSN's configurations, that can prevent collapse. */
export interface CollapseSettings {
  /** MSN's loss. */
  readonly criterion: {
    /** Whether the loss has the mean entropy maximisation term. */
    readonly me_max: boolean;
    /** The weight of that term; MSN's is 1. */
    readonly memax_weight: number;
    /** Whether Sinkhorn iterations balance the targets. */
    readonly use_sinkhorn: boolean;
    /** The images of a step. */
    readonly batch_size: number;
  };
  /** The optimizer. */
  readonly optimization: {
    /** The peak of the learning rate. */
    readonly lr: number;
  };
  /** The views, which all are random crops. */
  readonly data: {
    /** The strength of colour changes; 0 is none. */
    readonly color_jitter_strength: number;
    /** The share of patches that random anchor views lose. */
    readonly patch_drop: number;
    /** Focal anchor views of an image. */
    readonly focal_views: number;
  };
}

/** Below, one direction outweighs all others: at most two kinds of images could be told apart by it. */
const LEAST_RANK = 2;
/** Features that use less than a hundredth of their directions do not help a classifier. */
const LEAST_RANK_SHARE = 0.01;
/** With so few possible directions, because there are few images, a rank near 2 says nothing. */
const FEWEST_DIRECTIONS = 8;
/**
 * Learning changes the rank in both directions, so that some of it may go: on 400 photos of clothes it is 32 of 191
 * with random weights in the embedded model's shape, and 64 with its trained ones.
 */
const LEAST_RANK_KEPT = 1 / 4;
/** On the same photos it is .48 with random weights, .37 with the trained ones. */
const MOST_SIMILAR = 0.99;
/**
 * Initial weights can be above `MOST_SIMILAR` too, if CLS hardly depends on the image. Features have come nearer
 * only if what is missing to 1 has fallen below half of its first value; a step of learning changes it by less.
 */
const LEAST_DISTANCE_KEPT = 1 / 2;
/** MSN spreads images over all prototypes: far more than this share are some target's most probable one. */
const LEAST_PROTOTYPE_SHARE = 0.02;
/** One prototype for all images means that nothing is told apart. */
const LEAST_PROTOTYPES = 2;
/** `LEAST_PROTOTYPE_SHARE` of fewer targets is less than one prototype. */
const FEWEST_TARGETS = 50;

/** MSN's peak for ViT-S/16, and the batch it was for. AdamW's rate scales with the batch's square root. */
const PUBLISHED_LR = 1e-3;
const PUBLISHED_BATCH = 1024;
/** The images of a GPU in MSN's configurations; with fewer, a batch's mean prediction is mostly noise. */
const SMALL_BATCH = 64;
/** MSN's weight of the mean entropy maximisation term. */
const PUBLISHED_WEIGHT = 1;
/** Advice beyond this is not read. */
const MAX_REMEDIES = 2;

/**
 * Says whether a pre-training has collapsed since its first measurement. What is no worse than that is an alarm
 * only if hardly more than one direction, or one prototype, is left.
 *
 * - Features of all images are (nearly) the same: their effective rank is below 2 or a hundredth of the
 *   possible, or below a quarter of the first one; or their similarity is above .99 and has risen.
 * - Fewer than 2 % of the prototypes, or fewer than 2, are in use.
 *
 * @param now the measurement.
 * @param first the run's first measurement; `undefined` if `now` is the first.
 * @returns one sentence that says what collapsed and what to change; `undefined` if nothing has.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { collapseAlarm } from "./collapse.ts";
 *
 * const first = { step: 0, images: 0, effectiveRank: 20, largestRank: 191, featureSimilarity: 0.98 };
 * const now = { ...first, step: 100, images: 6400, effectiveRank: 3 };
 * const settings = {
 *   criterion: { me_max: false, memax_weight: 1, use_sinkhorn: true, batch_size: 64 },
 *   optimization: { lr: 1e-4 },
 *   data: { color_jitter_strength: 0.5, patch_drop: 0.25, focal_views: 2 },
 * };
 * assertEquals(
 *   collapseAlarm(now, first, settings),
 *   "Features of different images have collapsed: their effective rank is 3.0 of at most 191, 20.0 at the " +
 *     "start; turn on criterion.me_max",
 * );
 * assertEquals(collapseAlarm(first, undefined, settings), undefined);
 * ```
 */
export function collapseAlarm(
  now: PretrainMonitorRecord,
  first: PretrainMonitorRecord | undefined,
  settings: CollapseSettings,
): string | undefined {
  if (first === undefined || now.step <= first.step) return undefined;
  const collapsed = collapsedFeatures(now, first) ?? collapsedPrototypes(now, first);
  return collapsed && `${collapsed}; ${advice(settings)}`;
}

function collapsedFeatures(
  now: PretrainMonitorRecord,
  first: PretrainMonitorRecord,
): string | undefined {
  const collapsed = "Features of different images have collapsed: their";
  if (hasLostRank(now, first)) {
    return `${collapsed} effective rank is ${now.effectiveRank.toFixed(1)} of at most ` +
      `${now.largestRank}, ${first.effectiveRank.toFixed(1)} at the start`;
  }
  const distance = 1 - now.featureSimilarity;
  const firstDistance = 1 - first.featureSimilarity;
  if (
    now.featureSimilarity > MOST_SIMILAR && distance < LEAST_DISTANCE_KEPT * firstDistance
  ) {
    return `${collapsed} mean similarity is ${now.featureSimilarity.toFixed(4)}, ` +
      `${first.featureSimilarity.toFixed(4)} at the start`;
  }
  return undefined;
}

function hasLostRank(now: PretrainMonitorRecord, first: PretrainMonitorRecord): boolean {
  const rank = now.effectiveRank;
  if (rank < LEAST_RANK_KEPT * first.effectiveRank) return true;
  if (now.largestRank < FEWEST_DIRECTIONS) return false;
  return rank < LEAST_RANK ||
    rank < LEAST_RANK_SHARE * now.largestRank && rank < first.effectiveRank;
}

function collapsedPrototypes(
  now: PretrainMonitorRecord,
  first: PretrainMonitorRecord,
): string | undefined {
  const { prototypes, prototypesInUse, targets } = now;
  if (prototypes === undefined || prototypesInUse === undefined || targets === undefined) {
    return undefined;
  }
  if (targets < FEWEST_TARGETS) return undefined;
  const isFew = prototypesInUse < LEAST_PROTOTYPE_SHARE * Math.min(prototypes, targets) &&
    prototypesInUse < (first.prototypesInUse ?? Infinity);
  if (prototypesInUse >= LEAST_PROTOTYPES && !isFew) return undefined;
  return `Prototypes have collapsed: ${targets} targets use ${prototypesInUse} of ${prototypes}`;
}

/** What to change: first what MSN needs, then what makes it less stable. */
function advice({ criterion, optimization: { lr }, data }: CollapseSettings): string {
  const remedies: string[] = [];
  if (!criterion.me_max) {
    remedies.push("turn on criterion.me_max");
  } else if (criterion.memax_weight < PUBLISHED_WEIGHT) {
    remedies.push(
      `raise criterion.memax_weight from ${criterion.memax_weight} to ${PUBLISHED_WEIGHT}`,
    );
  }
  if (!criterion.use_sinkhorn) remedies.push("turn on criterion.use_sinkhorn");
  if (data.color_jitter_strength === 0 && data.patch_drop === 0 && data.focal_views === 0) {
    remedies.push(
      "make views differ by more than a crop: raise data.color_jitter_strength or data.patch_drop",
    );
  }
  const { batch_size: batch } = criterion;
  const highest = highestRate(batch);
  if (lr > highest) remedies.push(`lower optimization.lr from ${lr} to ${highest} or less`);
  if (batch < SMALL_BATCH) {
    remedies.push(`raise criterion.batch_size from ${batch} to ${SMALL_BATCH} or more`);
  }
  if (remedies.length === 0) {
    remedies.push(`lower optimization.lr from ${lr} to ${lr / 2}`, "raise criterion.memax_weight");
  }
  return remedies.slice(0, MAX_REMEDIES).join(" and ");
}

/** The highest learning rate that is not suspicious, rounded to be read. */
function highestRate(batch: number): number {
  const rate = PUBLISHED_LR * Math.min(1, Math.sqrt(batch / PUBLISHED_BATCH));
  return Number(rate.toPrecision(2));
}
