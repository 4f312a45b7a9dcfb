import { l2Normalize } from "../tensor/l2_normalize.ts";
import { softmax } from "../tensor/softmax.ts";
import type { HeadParameters, UnknownRule } from "../vit_msn/head/head_parameters.ts";
import {
  type Classification,
  type ClassificationOptions,
  toClassifications,
} from "../model/outputs/classification.ts";
import { matmul, type Matrix, matrixOf, rowOf, toMatrix, transpose } from "../tensor/matrix.ts";
import { featureRows, type Features } from "./feature_rows.ts";
import { type Scorer, scoresOf } from "./scorer.ts";

/** The label of an image that belongs to none of the classes. */
export const UNKNOWN = "unknown";

/**
 * A classifier of features, fitted by `fitHead` on a few images per class. Its probabilities are
 * `softmax(z / T)`, with the logits z of its method and the temperature T of its calibration.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fitHead } from "./fit/fit_head.ts";
 *
 * const support = {
 *   features: [Float32Array.of(1, 0), Float32Array.of(0, 1)],
 *   labels: ["east", "north"],
 * };
 * const { head } = fitHead(support, { method: "prototypes" });
 * const [labels] = head.predict([Float32Array.of(0.9, 0.1)]);
 * assertEquals(labels?.[0]?.label, "east");
 * ```
 */
export class Head {
  /** The settings and tensors, as a file stores them. */
  readonly parameters: HeadParameters;
  readonly #scorer: Scorer;
  readonly #references: References;

  /**
   * Makes a head from its parameters.
   *
   * @param parameters from `fitHead` or from a file.
   */
  constructor(parameters: HeadParameters) {
    this.parameters = parameters;
    const { settings, tensors: { weight, bias, support, votes, means } } = parameters;
    this.#scorer = settings.method === "knn"
      ? { kind: "neighbours", support: toMatrix(support!), votes: toMatrix(votes!), k: settings.k! }
      : { kind: "linear", weight: toMatrix(weight!), bias: Float64Array.from(bias!.data) };
    this.#references = referencesOf(toMatrix(means), support && toMatrix(support));
  }

  /** The classes' names, in the order of the logits. */
  get labels(): readonly string[] {
    return this.parameters.settings.labels;
  }

  /**
   * Computes the calibrated logits z / T.
   *
   * @param features of n images, from `ViTMSNModel.features`.
   * @returns n rows [K], whose softmax are the probabilities.
   * @throws {RangeError} if a feature has another length than D.
   */
  logits(features: Features): Float32Array[] {
    const rows = featureRows(features);
    const D = this.#references.vectors.columns;
    const misfit = rows.find((feature) => feature.length !== D);
    if (misfit) {
      throw new RangeError(
        `Cannot classify a feature of ${misfit.length} numbers: the head takes ${D}`,
      );
    }
    if (rows.length === 0) return [];
    const scores = scoresOf(this.#scorer, matrixOf(rows));
    const { temperature } = this.parameters.settings;
    return rows.map((_, i) => Float32Array.from(rowOf(scores, i), (z) => z / temperature));
  }

  /**
   * Classifies images by their features.
   *
   * @param features of n images, from `ViTMSNModel.features`.
   * @returns the labels of each image, best first. With `unknown`, an image that belongs to none of the
   * classes has the label `unknown` first, whose score is 1 minus the best label's.
   * @throws {RangeError} if a feature has another length than D, or an option is out of range.
   * @throws {TypeError} if `unknown` is set and the head has no rule for unknown images.
   */
  predict(
    features: Features,
    { unknown = false, ...options }: ClassificationOptions = {},
  ): Classification[][] {
    const rule = this.parameters.settings.unknown;
    if (unknown && !rule) {
      throw new TypeError(
        "Cannot tell unknown images: the head was fitted on too few images, or without a rule for them",
      );
    }
    const config = { id2label: this.labels, problemType: SINGLE_LABEL };
    const rows = featureRows(features);
    return this.logits(rows).map((logits, i) => {
      const labels = toClassifications(logits, config, options);
      if (!unknown || !this.#isUnknown(rule!, logits, rows[i]!)) return labels;
      return [{ label: UNKNOWN, score: 1 - bestProbability(logits) }, ...labels];
    });
  }

  #isUnknown({ criterion, threshold }: UnknownRule, logits: Float32Array, feature: Float32Array) {
    return (criterion === "probability"
      ? bestProbability(logits)
      : similarityTo(this.#references, matrixOf([feature]))[0]!) < threshold;
  }
}

const SINGLE_LABEL = "single_label_classification" as const;

/** The largest probability of a row of logits. */
export function bestProbability(logits: ArrayLike<number>): number {
  return softmax(logits).reduce((max, p) => Math.max(max, p), 0);
}

/** The vectors that images are compared with: the head's kept features, otherwise its class means. */
export interface References {
  /** [R, D], rows of length 1. */
  readonly vectors: Matrix;
  /** The number of nearest vectors to average over. */
  readonly k: number;
}

const NEIGHBOURS = 5;

/**
 * Chooses the reference vectors.
 *
 * @param means [K, D]
 * @param support [n, D], if the head keeps it.
 */
export function referencesOf(means: Matrix, support: Matrix | undefined): References {
  const source = support ?? means;
  const rows = Array.from(
    { length: source.rows },
    (_, i) => l2Normalize(Float32Array.from(rowOf(source, i))),
  );
  return { vectors: matrixOf(rows), k: support ? NEIGHBOURS : 1 };
}

/**
 * The similarity of features to the references: the mean cosine to the k nearest.
 *
 * @param features [n, D], rows of length 1.
 * @returns [n], each from -1 to 1.
 */
export function similarityTo({ vectors, k }: References, features: Matrix): Float64Array {
  const cosines = matmul(features, transpose(vectors));
  return Float64Array.from({ length: features.rows }, (_, i) => {
    const best = rowOf(cosines, i).toSorted().subarray(-k);
    return best.reduce((sum, cosine) => sum + cosine, 0) / best.length;
  });
}
