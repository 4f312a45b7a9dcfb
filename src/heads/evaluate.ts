import { topK } from "../tensor/top_k.ts";
import {
  expectedCalibrationError,
  type ReliabilityBin,
  reliabilityOf,
} from "./calibration_error.ts";
import { softmax } from "../tensor/softmax.ts";
import { type Interval, wilsonInterval } from "./confidence_interval.ts";
import type { LabelledFeatures } from "./fit_head.ts";
import { compareWithGuessing, type Guessing } from "./guessing.ts";
import type { Head } from "./head.ts";

/** How good a classifier is on images whose labels are known. */
export interface Evaluation {
  /** How many images were asked for. */
  readonly count: number;
  /** The share whose best label is right. */
  readonly accuracy: number;
  /** 95 %, Wilson's score interval of the accuracy. */
  readonly confidenceInterval: Interval;
  /** Whether that is better than guessing. */
  readonly guessing: Guessing;
  /** Every label, in the order of the logits. */
  readonly classes: readonly ClassEvaluation[];
  /** [K, K]: of the images of a label (row), how many were given which label (column). */
  readonly confusion: readonly (readonly number[])[];
  /** The expected calibration error, and what it would be without the temperature. */
  readonly calibrationError: { readonly before: number; readonly after: number };
  /** How scores and right answers go together. */
  readonly reliability: readonly ReliabilityBin[];
  /**
   * Of the images of which the classifier is surest, a share (coverage): how many of them are wrong
   * (risk).
   */
  readonly riskCoverage: readonly { readonly coverage: number; readonly risk: number }[];
}

/** One label's part of an {@linkcode Evaluation}. */
export interface ClassEvaluation {
  /** Its name. */
  readonly label: string;
  /** How many images have it. */
  readonly count: number;
  /** The share of these that were given it; nothing if there are none. */
  readonly recall?: number;
  /** The share of images given it that have it; nothing if none was given it. */
  readonly precision?: number;
  /** The harmonic mean of precision and recall, 0 if no image is right; nothing without both. */
  readonly f1?: number;
}

/** The shares of images at which risk is stated. */
const COVERAGES = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);

/**
 * Evaluates a head on images that it was not fitted on.
 *
 * @throws {RangeError} if there are no images, or a label is none of the head's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { evaluate } from "./evaluate.ts";
 * import { fitHead } from "./fit_head.ts";
 *
 * const features = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
 * const { head } = fitHead({ features, labels: ["east", "north"] });
 * assertEquals(evaluate(head, { features, labels: ["east", "east"] }).accuracy, 0.5);
 * ```
 */
export function evaluate(head: Head, { features, labels }: LabelledFeatures): Evaluation {
  const { temperature } = head.parameters.settings;
  return evaluateLogits(head.logits(features), labels, head.labels, temperature);
}

/**
 * Evaluates logits of any classifier.
 *
 * @param logits n rows [K].
 * @param truths n labels, each one of `labels`.
 * @param labels K, in the order of the logits.
 * @param temperature by which the logits are divided already.
 * @throws {RangeError} if there are no images, or one of `truths` is none of `labels`.
 */
export function evaluateLogits(
  logits: readonly Float32Array[],
  truths: readonly string[],
  labels: readonly string[],
  temperature = 1,
): Evaluation {
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
 * With tp images of the class that were given it, fn that were not and fp others that were:
 * recall tp / (tp + fn), precision tp / (tp + fp), F1 2 tp / (2 tp + fp + fn).
 */
function classEvaluation(
  label: string,
  c: number,
  confusion: Evaluation["confusion"],
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
): Evaluation["riskCoverage"] {
  const confidences = logits.map((row) => Math.max(...softmax(row)));
  const order = topK(confidences, confidences.length);
  return COVERAGES.map((coverage) => {
    const taken = order.slice(0, Math.max(1, Math.round(coverage * order.length)));
    return { coverage, risk: taken.filter((i) => !right[i]).length / taken.length };
  });
}
