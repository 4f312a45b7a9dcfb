import { featureRows, type Features } from "../feature_rows.ts";
import type { HeadMethod } from "./method.ts";
import type { ClassWeight } from "./samples.ts";

/** The features and labels of images. */
export interface LabelledFeatures {
  /** What `ViTMSNModel.features` returned for n images. */
  readonly features: Features;
  /** [n], the label of each image. */
  readonly labels: readonly string[];
  /**
   * [n], an id for each image, such as the start of its SHA-256. A head that images can be added to keeps
   * the ids, and `addToHead` skips images whose id it has.
   */
  readonly ids?: readonly string[];
}

/** The same with a vector [D] an image. */
export interface LabelledVectors extends LabelledFeatures {
  readonly features: readonly Float32Array[];
}

/** Splits a tensor of features into vectors, without copying them. */
export function labelledVectors(labelled: LabelledFeatures): LabelledVectors {
  return { ...labelled, features: featureRows(labelled.features) };
}

/** The options of `fitHead`. */
export interface FitOptions {
  /**
   * `logistic`: multinomial logistic regression, as in the MSN paper. `prototypes`: the nearest class
   * mean. `knn`: the nearest images. `ridge`: ridge regression. `auto`, the default, chooses by
   * cross-validation; with too few images for that, it uses prototypes.
   */
  readonly method?: HeadMethod | "auto";
  /**
   * The strength of the L2 penalty of `logistic` and `ridge`, above 0; by default cross-validation chooses
   * it.
   */
  readonly l2?: number;
  /** Whether all classes weigh the same (`balanced`, the default) or all images (`none`). */
  readonly classWeight?: ClassWeight;
  /** The share of images of known classes that may be labelled unknown, from 0 to below 1; default 0.05. */
  readonly falseRejectionRate?: number;
  /** Whether the head keeps the images' features, so that more can be added; default false. */
  readonly keepFeatures?: boolean;
  /** The seed of the random folds, an integer; default 0. */
  readonly seed?: number;
}

/** @throws {RangeError} if an option is out of range. */
export function checkOptions(
  { l2, method, falseRejectionRate: rate = 0, seed = 0 }: FitOptions,
): void {
  if (l2 !== undefined && !(l2 > 0 && l2 < Infinity)) {
    throw new RangeError(`Cannot fit a head: l2 is ${l2}, not a number above 0`);
  }
  if (l2 !== undefined && method !== "logistic" && method !== "ridge") {
    throw new RangeError("Cannot fit a head: l2 requires the method logistic or ridge");
  }
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(
      `Cannot fit a head: falseRejectionRate is ${rate}, not from 0 to below 1`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`Cannot fit a head: seed is ${seed}, not an integer`);
  }
}

/** @throws {RangeError} if the features do not match the labels, or there are fewer than two classes. */
export function checkSupport(
  { features, labels }: LabelledVectors,
  classes: readonly string[],
): void {
  if (features.length !== labels.length) {
    throw new RangeError(
      `Cannot fit a head: there are ${features.length} features for ${labels.length} labels`,
    );
  }
  if (classes.length < 2) {
    throw new RangeError(
      `Cannot fit a head: there ${classes.length === 1 ? "is one class" : "are no classes"}, ` +
        "and a classifier needs at least two",
    );
  }
  const D = features[0]!.length;
  const wrong = features.findIndex((feature) =>
    feature.length !== D || !feature.every(Number.isFinite)
  );
  if (wrong !== -1) {
    throw new RangeError(`Cannot fit a head: feature ${wrong} is not ${D} finite numbers`);
  }
}
