import { topK } from "../tensor/top_k.ts";
import type { HeadSettings, HeadTensors } from "../vit_msn/head_parameters.ts";
import { expectedCalibrationError } from "./calibration_error.ts";
import { canCrossValidate, crossValidate, type Validation } from "./cross_validation.ts";
import { type Answer, compareWithGuessing, type Guessing } from "./guessing.ts";
import { Head } from "./head.ts";
import { matrixOf, rowOf, toTensor } from "./matrix.ts";
import {
  type Candidate,
  candidateSettings,
  candidatesOf,
  DEFAULTS,
  fitCandidates,
  type Method,
  METHODS,
  votesOf,
} from "./method.ts";
import { classMeans } from "./prototypes.ts";
import { type ClassWeight, countsOf, type Samples, toSamples } from "./samples.ts";
import { linearTensors, scoresOf } from "./scorer.ts";
import { fitTemperature, negativeLogLikelihood, temperatureOfConfidence } from "./temperature.ts";
import { chooseUnknown, type UnknownReport } from "./unknown.ts";

/** Features of images whose labels are known. */
export interface LabelledFeatures {
  /** n of `ViTMSNModel.features`, [D] each. */
  readonly features: readonly Float32Array[];
  /** n labels. */
  readonly labels: readonly string[];
  /**
   * What tells the images apart, such as the beginnings of their SHA-256. A head to which images can be
   * added keeps these, and `addToHead` leaves out what it has already.
   */
  readonly ids?: readonly string[];
}

/** How {@linkcode fitHead} fits. */
export interface FitOptions {
  /**
   * `logistic`: multinomial logistic regression, as in the MSN paper. `prototypes`: the nearest class
   * mean. `knn`: the nearest images. `ridge`: ridge regression. `auto`, the default, chooses by
   * cross-validation, and takes prototypes where there are too few images for that.
   */
  readonly method?: Method | "auto";
  /** The strength of the penalty of `logistic` and `ridge`, above 0; default is chosen. */
  readonly l2?: number;
  /** Whether all classes count the same (`balanced`, the default) or all images (`none`). */
  readonly classWeight?: ClassWeight;
  /** The share of images of the classes that may be taken for unknown, from 0 to 1; default 0.05. */
  readonly falseRejectionRate?: number;
  /** Whether the head keeps the images' features, so that classes can be added to it; default no. */
  readonly keepFeatures?: boolean;
  /** Of the divisions of cross-validation, an integer; default 0. */
  readonly seed?: number;
}

/** What cross-validation says of a candidate. */
export interface CandidateReport {
  /** What it is about. */
  readonly candidate: Candidate;
  /** The share of images that it names right, classes weighted as in the fit. */
  readonly accuracy: number;
  /** The mean of -log p of the right class, calibrated. */
  readonly negativeLogLikelihood: number;
}

/** How a fit went. */
export interface FitReport {
  /** What was fitted. */
  readonly candidate: Candidate;
  /** Every candidate, by cross-validation; none where there are too few images. */
  readonly candidates: readonly CandidateReport[];
  /** Of a logistic regression: its objective's value and gradient's length at the end. */
  readonly logistic?: {
    readonly objective: number;
    readonly gradientNorm: number;
    readonly iterations: number;
    readonly converged: boolean;
  };
  /**
   * What cross-validation says of the candidate that was fitted, against guessing. A classifier that is
   * not better should not be used. Nothing where there are too few images.
   */
  readonly guessing?: Guessing;
  /** The expected calibration error of images left out, before and after the temperature. */
  readonly calibrationError?: { readonly before: number; readonly after: number };
  /** How well each rule tells classes that were left out. */
  readonly unknown?: UnknownReport;
}

/** A nat of likelihood weighs half as much as all right answers; measured on 2 to 50 images a class. */
const LIKELIHOOD_WEIGHT = 0.5;
/** With fewer images a candidate must be better than the default by two standard errors; measured, too. */
const FEW = 100;

/**
 * Fits a classifier on a few images a class. Cross-validation chooses method and setting: those with
 * the largest `accuracy - NLL / 2` on images that were left out; with fewer than a hundred images, ridge
 * regression stays unless another is better by two standard errors. On the same images one temperature is
 * fitted, and a threshold below which an image is unknown. A temperature that would make all scores alike
 * is not used: the head then counts as not calibrated, and its scores stay apart. The same input gives the
 * same head.
 *
 * @throws {RangeError} if there are fewer than two classes, features of different lengths or that are
 * not finite, not as many labels as features, or an option is out of range.
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
  support: LabelledFeatures,
  options: FitOptions = {},
): { head: Head; report: FitReport } {
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
  const validation = fitted && guessing && keptApart(fitted, guessing);
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
  };
  return { head, report };
}

function choose(
  samples: Samples,
  method: Method | "auto",
  l2: number | undefined,
  seed: number,
): {
  candidate: Candidate;
  candidates: CandidateReport[];
  /** Whether it was the answers to what was left out that spoke for it, and not for another one. */
  isChosen: boolean;
  validation?: Validation;
} {
  const methods = method === "auto" ? METHODS : [method];
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
 * How far the best label's score is above chance on average, of what is left to 1, by a head that is no
 * better than guessing. Its honest scores would all be alike, and say which label is best to nobody.
 */
const LEAST_LEAD = 0.1;

/** The same with a lower temperature, if it would make scores alike. */
function keptApart(validation: Validation, { accuracy, chance, isBetter }: Guessing): Validation {
  const { logits, temperature } = validation;
  const lead = isBetter ? (accuracy - chance) / 2 : LEAST_LEAD * (1 - chance);
  const highest = temperatureOfConfidence(logits, 1 / logits.columns + lead);
  return temperature <= highest ? validation : { ...validation, temperature: highest };
}

/** Whether a row's largest logit is that of its class, and of no other. */
function isRight(row: Float64Array, own: number): boolean {
  return row.every((z, other) => other === own || z < row[own]!);
}

function weightedMean(values: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return values.reduce((sum, x, i) => sum + x * weights[i]!, 0) / total;
}

/** Of a mean of values, of which only `count` are of different images. */
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

function convergenceOf(
  { objective, gradientNorm, iterations, converged }: NonNullable<FitReport["logistic"]>,
): NonNullable<FitReport["logistic"]> {
  return { objective, gradientNorm, iterations, converged };
}

function checkOptions({ l2, method, falseRejectionRate: rate = 0, seed = 0 }: FitOptions): void {
  if (l2 !== undefined && !(l2 > 0 && l2 < Infinity)) {
    throw new RangeError(`Cannot fit a head: l2 is ${l2}, not a number above 0`);
  }
  if (l2 !== undefined && method !== "logistic" && method !== "ridge") {
    throw new RangeError("Cannot fit a head: l2 is of the methods logistic and ridge");
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

function checkSupport({ features, labels }: LabelledFeatures, classes: readonly string[]): void {
  if (features.length !== labels.length) {
    throw new RangeError(
      `Cannot fit a head: there are ${features.length} features for ${labels.length} labels`,
    );
  }
  if (classes.length < 2) {
    throw new RangeError(
      `Cannot fit a head: there ${classes.length === 1 ? "is one class" : "are no classes"}, ` +
        "and it takes two to tell apart",
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
