import { topK } from "../../tensor/top_k.ts";
import {
  expectedCalibrationError,
  type ReliabilityBin,
  reliabilityOf,
} from "./calibration_error.ts";
import { softmax } from "../../tensor/softmax.ts";
import { type ConfidenceInterval, wilsonInterval } from "./confidence_interval.ts";
import type { LabelledFeatures } from "../fit/fit_options.ts";
import { compareWithGuessing, type GuessingComparison } from "./guessing.ts";
import type { Head } from "../head.ts";

/** The quality of a classifier on labelled images. */
export interface HeadEvaluation {
  /** The number of images. */
  readonly count: number;
  /** The share of images whose best label is correct. */
  readonly accuracy: number;
  /** The 95 % Wilson score interval of the accuracy. */
  readonly confidenceInterval: ConfidenceInterval;
  /** The comparison with guessing. */
  readonly guessing: GuessingComparison;
  /** The metrics of every label, in the order of the logits. */
  readonly classes: readonly ClassEvaluation[];
  /** [K, K], the number of images with a true label (row) and a predicted label (column). */
  readonly confusion: readonly (readonly number[])[];
  /** The expected calibration error, `before` without and `after` with the temperature. */
  readonly calibrationError: { readonly before: number; readonly after: number };
  /** The reliability diagram. */
  readonly reliability: readonly ReliabilityBin[];
  /**
   * The risk-coverage curve: the error rate (risk) among the share of images with the highest scores
   * (coverage).
   */
  readonly riskCoverage: readonly { readonly coverage: number; readonly risk: number }[];
}

/** The metrics of one label in an {@linkcode HeadEvaluation}. */
export interface ClassEvaluation {
  /** The label. */
  readonly label: string;
  /** The number of images with this true label. */
  readonly count: number;
  /** The share of these that are predicted as it; undefined without such images. */
  readonly recall?: number;
  /** The share of the images predicted as it that have it; undefined without predictions of it. */
  readonly precision?: number;
  /** The harmonic mean of precision and recall, 0 if both are 0; undefined without both. */
  readonly f1?: number;
}

/** The coverages of the risk-coverage curve. */
const COVERAGES = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);

/**
 * Evaluates a head on images that it was not fitted on.
 *
 * @throws {RangeError} if there are no images, or the head does not have one of the labels.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { evaluateHead } from "./evaluate.ts";
 * import { fitHead } from "../fit/fit_head.ts";
 *
 * const features = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
 * const { head } = fitHead({ features, labels: ["east", "north"] });
 * assertEquals(evaluateHead(head, { features, labels: ["east", "east"] }).accuracy, 0.5);
 * ```
 */
export function evaluateHead(head: Head, { features, labels }: LabelledFeatures): HeadEvaluation {
  const { temperature } = head.parameters.settings;
  return evaluateLogits(head.logits(features), labels, head.labels, temperature);
}

/**
 * Evaluates the logits of any classifier.
 *
 * @param logits n rows [K].
 * @param truths [n], each image's true label, one of `labels`.
 * @param labels [K], in the order of the logits.
 * @param temperature the temperature that the logits are already divided by.
 * @throws {RangeError} if there are no images, or one of `truths` is not in `labels`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { evaluateLogits } from "./evaluate.ts";
 *
 * const logits = [Float32Array.of(2, 0), Float32Array.of(1, 0)];
 * assertEquals(evaluateLogits(logits, ["cat", "dog"], ["cat", "dog"]).accuracy, 0.5);
 * ```
 */
export function evaluateLogits(
  logits: readonly Float32Array[],
  truths: readonly string[],
  labels: readonly string[],
  temperature = 1,
): HeadEvaluation {
  if (truths.length === 0) throw new RangeError("Cannot evaluate: there are no images");
  const ids = new Map(labels.map((label, id) => [label, id]));
  const classes = truths.map((label) => {
    const id = ids.get(label);
    if (id !== undefined) return id;
    throw new RangeError(`Cannot evaluate: "${label}" is no label of the classifier`);
  });
  const guesses = logits.map((row) => topK(row, 1)[0]!);
  const right = guesses.map((guess, i) => guess === classes[i]);
  const count = truths.length;
  const rightCount = right.filter(Boolean).length;
  const confusion = labels.map(() => Array<number>(labels.length).fill(0));
  classes.forEach((c, i) => confusion[c]![guesses[i]!]!++);
  return {
    count,
    accuracy: rightCount / count,
    confidenceInterval: wilsonInterval(rightCount, count),
    guessing: compareWithGuessing(
      guesses.map((guess, i) => ({ guess, truth: classes[i]! })),
      labels.length,
    ),
    classes: labels.map((label, c) => classEvaluation(label, c, confusion)),
    confusion,
    calibrationError: {
      before: expectedCalibrationError(
        logits.map((row) => row.map((z) => z * temperature)),
        classes,
      ),
      after: expectedCalibrationError(logits, classes),
    },
    reliability: reliabilityOf(logits, classes),
    riskCoverage: riskCoverageOf(logits, right),
  };
}

/**
 * With tp true positives, fn false negatives and fp false positives: recall tp / (tp + fn),
 * precision tp / (tp + fp), F1 2 tp / (2 tp + fp + fn).
 */
function classEvaluation(
  label: string,
  c: number,
  confusion: HeadEvaluation["confusion"],
): ClassEvaluation {
  const right = confusion[c]![c]!;
  const count = confusion[c]!.reduce((sum, x) => sum + x, 0);
  const named = confusion.reduce((sum, row) => sum + row[c]!, 0);
  return {
    label,
    count,
    ...(count > 0 ? { recall: right / count } : {}),
    ...(named > 0 ? { precision: right / named } : {}),
    ...(count > 0 && named > 0 ? { f1: 2 * right / (count + named) } : {}),
  };
}

function riskCoverageOf(
  logits: readonly Float32Array[],
  right: readonly boolean[],
): HeadEvaluation["riskCoverage"] {
  const confidences = logits.map((row) => Math.max(...softmax(row)));
  const order = topK(confidences, confidences.length);
  return COVERAGES.map((coverage) => {
    const taken = order.slice(0, Math.max(1, Math.round(coverage * order.length)));
    return { coverage, risk: taken.filter((i) => !right[i]).length / taken.length };
  });
}
