import { topK } from "../../tensor/top_k.ts";
import type { HeadSettings, HeadTensors } from "../../vit_msn/head/head_parameters.ts";
import { expectedCalibrationError } from "../evaluate/calibration_error.ts";
import { canCrossValidate, crossValidate, type Validation } from "./cross_validation.ts";
import { type Answer, compareWithGuessing, type GuessingComparison } from "../evaluate/guessing.ts";
import { Head } from "../head.ts";
import { matrixOf, rowOf, toTensor } from "../../tensor/matrix.ts";
import {
  candidateSettings,
  candidatesOf,
  DEFAULTS,
  fitCandidates,
  HEAD_METHODS,
  type HeadCandidate,
  type HeadMethod,
  votesOf,
} from "./method.ts";
import {
  checkOptions,
  checkSupport,
  type FitOptions,
  type LabelledFeatures,
  labelledVectors,
} from "./fit_options.ts";
import { classMeans } from "./prototypes.ts";
import { countsOf, type Samples, toSamples } from "./samples.ts";
import { linearTensors, scoresOf } from "../scorer.ts";
import { fitTemperature, negativeLogLikelihood, temperatureOfConfidence } from "./temperature.ts";
import { chooseUnknown, type UnknownReport } from "./unknown.ts";

/** The cross-validation result of a candidate. */
export interface CandidateReport {
  /** The candidate. */
  readonly candidate: HeadCandidate;
  /** The share of held-out images that it classifies correctly, weighted as in the fit. */
  readonly accuracy: number;
  /** The weighted mean of -log p of the true class, after calibration. */
  readonly negativeLogLikelihood: number;
}

/** The report of a fit. */
export interface FitReport {
  /** The candidate that was fitted. */
  readonly candidate: HeadCandidate;
  /** The results of all candidates; empty if there are too few images for cross-validation. */
  readonly candidates: readonly CandidateReport[];
  /** For a logistic regression, the state in which its optimiser stopped. */
  readonly logistic?: {
    readonly objective: number;
    readonly gradientNorm: number;
    readonly iterations: number;
    readonly converged: boolean;
  };
  /**
   * The cross-validated accuracy of the fitted candidate compared with guessing. A classifier that is not
   * better should not be used. Undefined if there are too few images for cross-validation.
   */
  readonly guessing?: GuessingComparison;
  /** The expected calibration error on held-out images, before and after the temperature is applied. */
  readonly calibrationError?: { readonly before: number; readonly after: number };
  /** How well each criterion separates held-out classes from the others. */
  readonly unknown?: UnknownReport;
  /** The predictions of held-out images. Undefined if there are too few images for cross-validation. */
  readonly heldOut?: HeldOutPredictions;
}

/** Predictions by fits that did not see the image: what a head gets right, and which images it gets wrong. */
export interface HeldOutPredictions {
  /** [m], the index of each row's image. An image occurs once in each repeat of the cross-validation. */
  readonly images: readonly number[];
  /** m rows [K], calibrated, in the order of the head's labels; `evaluateLogits` takes them. */
  readonly logits: readonly Float32Array[];
}

/** The weight of the negative log-likelihood against accuracy; measured on 2 to 50 images per class. */
const LIKELIHOOD_WEIGHT = 0.5;
/** With fewer images, a candidate must beat the default by two standard errors; measured likewise. */
const FEW = 100;

/**
 * Fits a classifier on a few images per class.
 *
 * Cross-validation chooses the method and its setting with the largest `accuracy - NLL / 2` on held-out
 * images; with fewer than 100 images, another candidate replaces the default (ridge regression for `auto`)
 * only if it is better by two standard errors. The temperature, and the threshold below which an image is
 * unknown, are fitted on the same held-out predictions. A temperature that would make all scores nearly equal
 * is lowered; the head then counts as not calibrated. The same input gives the same head.
 *
 * @throws {RangeError} if there are fewer than two classes, the features differ in length or are not finite,
 * the numbers of labels and features differ, or an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fitHead } from "./fit_head.ts";
 *
 * const features = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
 * const { head } = fitHead({ features, labels: ["east", "north"] });
 * const [labels] = head.predict([Float32Array.of(0.8, 0.6)]);
 * assertEquals(labels?.[0]?.label, "east");
 * ```
 */
export function fitHead(
  labelled: LabelledFeatures,
  options: FitOptions = {},
): { head: Head; report: FitReport } {
  const support = labelledVectors(labelled);
  const { method = "auto", l2, keepFeatures = false, seed = 0 } = options;
  const { classWeight = "balanced", falseRejectionRate = 0.05 } = options;
  checkOptions(options);
  const labels = [...new Set(support.labels)].sort();
  checkSupport(support, labels);
  const classIds = new Map(labels.map((label, id) => [label, id]));
  const classes = support.labels.map((label) => classIds.get(label)!);
  const samples = toSamples(matrixOf(support.features), classes, labels.length, classWeight);

  const { candidate, candidates, isChosen, validation: fitted } = choose(
    samples,
    method,
    l2,
    seed,
  );
  const guessing = fitted && compareWithGuessing(answersOf(fitted, samples), labels.length, {
    isBestOfSeveral: isChosen,
  });
  const validation = fitted && guessing && withDistinctScores(fitted, guessing);
  const calibrated = validation !== undefined && validation === fitted;
  const [{ scorer, logistic }] = fitCandidates(samples, [candidate], { final: true }) as [
    ReturnType<typeof fitCandidates>[number],
  ];
  const keeps = keepFeatures || candidate.method === "knn";
  const { ids } = support;
  const settings: HeadSettings = {
    ...candidateSettings(candidate),
    labels,
    counts: countsOf(classes, labels.length),
    temperature: validation?.temperature ?? 1,
    calibrated,
    ...(ids && (keeps || candidate.method === "prototypes")
      ? { photos: labels.map((label) => ids.filter((_, i) => support.labels[i] === label)) }
      : {}),
  };
  const tensors: HeadTensors = {
    ...(scorer.kind === "linear" ? linearTensors(scorer) : {}),
    ...(keeps ? { support: toTensor(samples.features), votes: toTensor(votesOf(samples)) } : {}),
    means: toTensor(classMeans(samples)),
  };
  const unknown = validation &&
    chooseUnknown(samples, candidate, { ...validation, keeps, falseRejectionRate, seed });
  const head = new Head({
    settings: unknown ? { ...settings, unknown: unknown.rule } : settings,
    tensors,
  });
  const report: FitReport = {
    candidate,
    candidates,
    ...(logistic ? { logistic: convergenceOf(logistic) } : {}),
    ...(guessing ? { guessing } : {}),
    ...(validation ? { calibrationError: calibrationErrorOf(validation, classes) } : {}),
    ...(unknown ? { unknown: unknown.report } : {}),
    ...(validation ? { heldOut: heldOutOf(validation) } : {}),
  };
  return { head, report };
}

function choose(
  samples: Samples,
  method: HeadMethod | "auto",
  l2: number | undefined,
  seed: number,
): {
  candidate: HeadCandidate;
  candidates: CandidateReport[];
  /** Whether the held-out predictions chose the candidate among several. */
  isChosen: boolean;
  validation?: Validation;
} {
  const methods = method === "auto" ? HEAD_METHODS : [method];
  if (!canCrossValidate(samples)) {
    const few = DEFAULTS[method === "auto" ? "prototypes" : method];
    const candidate = l2 !== undefined && "l2" in few ? { ...few, l2 } : few;
    return { candidate, candidates: [], isChosen: false };
  }
  const all = methods.flatMap((method) => candidatesOf(method, l2));
  const { indices, outputs: logits } = crossValidate(
    samples,
    (train, { features }) =>
      fitCandidates(train, all, { final: false }).map(({ scorer }) => scoresOf(scorer, features)),
    seed,
  );
  const classes = indices.map((i) => samples.classes[i]!);
  const weights = indices.map((i) => samples.weights[i]!);
  const defaultId = all.findIndex((candidate) =>
    JSON.stringify(candidate) === JSON.stringify(DEFAULTS[method === "auto" ? "ridge" : method])
  );
  const few = samples.classes.length < FEW && defaultId !== -1;
  const results = all.map((candidate, i) => {
    const temperature = fitTemperature(logits[i]!, classes, weights);
    const right = classes.map((c, row) => isRight(rowOf(logits[i]!, row), c));
    const losses = classes.map((c, row) => {
      const one = { rows: 1, columns: samples.classCount, data: rowOf(logits[i]!, row) };
      return negativeLogLikelihood(one, [c], [1], temperature);
    });
    return {
      report: {
        candidate,
        accuracy: weightedMean(right.map(Number), weights),
        negativeLogLikelihood: weightedMean(losses, weights),
      },
      validation: { indices, logits: logits[i]!, temperature },
      values: right.map((x, row) => +x - LIKELIHOOD_WEIGHT * losses[row]!),
    };
  });
  const worths = results.map(({ values }) => {
    const luck = few
      ? 2 * standardError(
        values.map((value, row) => value - results[defaultId]!.values[row]!),
        samples.classes.length,
      )
      : 0;
    return weightedMean(values, weights) - luck;
  });
  const bestId = topK(worths, 1)[0]!;
  const best = results[bestId]!;
  return {
    candidate: best.report.candidate,
    candidates: results.map(({ report }) => report),
    isChosen: all.length > 1 && !(few && bestId === defaultId),
    validation: best.validation,
  };
}

function answersOf({ indices, logits }: Validation, { classes, weights }: Samples): Answer[] {
  return indices.map((image, row) => {
    const values = rowOf(logits, row);
    const guess = topK(values, 1)[0]!;
    const truth = classes[image]!;
    const isClear = isRight(values, guess);
    return { guess: isClear ? guess : -1, truth, weight: weights[image]!, image };
  });
}

/**
 * The least mean lead of the best label's score over chance, as a share of the distance from chance to 1,
 * for a head that is no better than guessing. Its calibrated scores would all be nearly equal, so that users
 * could not see the order of the labels.
 */
const LEAST_LEAD = 0.1;

/** Lowers the temperature if it would make all scores nearly equal; otherwise returns the same object. */
function withDistinctScores(
  validation: Validation,
  { accuracy, chance, isBetter }: GuessingComparison,
): Validation {
  const { logits, temperature } = validation;
  const lead = isBetter ? (accuracy - chance) / 2 : LEAST_LEAD * (1 - chance);
  const highest = temperatureOfConfidence(logits, 1 / logits.columns + lead);
  return temperature <= highest ? validation : { ...validation, temperature: highest };
}

/** Whether the class `own` has the largest logit alone; a tie counts as wrong. */
function isRight(row: Float64Array, own: number): boolean {
  return row.every((z, other) => other === own || z < row[own]!);
}

function weightedMean(values: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return values.reduce((sum, x, i) => sum + x * weights[i]!, 0) / total;
}

/** The standard error of a mean of values that come from only `count` different images. */
function standardError(values: readonly number[], count: number): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance / count);
}

function calibrationErrorOf(
  { indices, logits, temperature }: Validation,
  classes: readonly number[],
): { before: number; after: number } {
  const rows = indices.map((_, i) => rowOf(logits, i));
  const truths = indices.map((i) => classes[i]!);
  const calibrated = rows.map((row) => row.map((z) => z / temperature));
  return {
    before: expectedCalibrationError(rows, truths),
    after: expectedCalibrationError(calibrated, truths),
  };
}

function heldOutOf({ indices, logits, temperature }: Validation): HeldOutPredictions {
  return {
    images: indices,
    logits: indices.map((_, row) => Float32Array.from(rowOf(logits, row), (z) => z / temperature)),
  };
}

function convergenceOf(
  { objective, gradientNorm, iterations, converged }: NonNullable<FitReport["logistic"]>,
): NonNullable<FitReport["logistic"]> {
  return { objective, gradientNorm, iterations, converged };
}
