import { flopsOf } from "../../vit_msn/flops.ts";
import { patchGrid, type ViTMSNConfig } from "../../vit_msn/config.ts";
import type { TuneMode } from "../tune.ts";

/** What {@linkcode chooseTune} goes by. */
export interface TuneEvidence {
  readonly config: ViTMSNConfig;
  /** Images to train on, of all classes. */
  readonly images: number;
  readonly classes: number;
  /** Images that training sees, all epochs together. */
  readonly imagesSeen: number;
  /** Images a second that the forward was measured to compute. */
  readonly forwardRate: number;
  /** The time that training may take, in seconds. */
  readonly timeLimit: number;
}

/** A choice, and why. */
export interface TuneChoice {
  readonly tune: TuneMode | { readonly kind: "head" };
  readonly reason: string;
}

/** From this many images a class on, fine-tuning was measured to beat a head on frozen features; see the model card. */
const MIN_SHOT = 4;
/** The cost of a step relative to the forward: forward and backward. */
const STEP_COST = 3.3;
/** The blocks of `last`. */
const LAST_BLOCKS = 2;

/**
 * Chooses how much of a model learns: all of it, if the time suffices; else its last two blocks; with few images
 * a class, only a head on frozen features.
 */
export function chooseTune(
  { config, images, classes, imagesSeen, forwardRate, timeLimit }: TuneEvidence,
): TuneChoice {
  const shot = images / classes;
  const perClass = `${shot < 10 ? shot.toFixed(1) : Math.round(shot)} photos a class`;
  if (shot < MIN_SHOT) {
    return { tune: { kind: "head" }, reason: `${perClass} are too few to train the backbone` };
  }
  const all = imagesSeen * STEP_COST / forwardRate;
  if (all <= timeLimit) {
    return { tune: { kind: "all" }, reason: `${perClass}, about ${minutes(all)}` };
  }
  const blocks = Math.min(LAST_BLOCKS, config.numHiddenLayers);
  const [rows, columns] = patchGrid(config);
  const share = blocks * flopsOf({ ...config, numHiddenLayers: 1 }, 1 + rows * columns) /
    flopsOf(config, 1 + rows * columns);
  const last = Math.min(imagesSeen, 3 * images) / forwardRate +
    imagesSeen * STEP_COST * Math.min(1, share) / forwardRate;
  const tooLong = `all blocks would take ${minutes(all)}`;
  if (last <= timeLimit) {
    return {
      tune: { kind: "last", blocks },
      reason: `${perClass}; ${tooLong}, the last ${blocks} about ${minutes(last)}`,
    };
  }
  return {
    tune: { kind: "head" },
    reason: `${tooLong} and the last ${blocks} ${minutes(last)}, the limit is ${
      minutes(timeLimit)
    }`,
  };
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
