import type { FitReport } from "../../heads/fit/fit_head.ts";
import type { Head } from "../../heads/head.ts";
import { candidateSettings, type HeadCandidate } from "../../heads/fit/method.ts";
import { guessingJson } from "./guessing_text.ts";
import { percent } from "../../heads/evaluate/percent.ts";

/** Describes a candidate. */
function nameOf(candidate: HeadCandidate): string {
  if ("l2" in candidate) return `${candidate.method}, lambd ${candidate.l2}`;
  return "k" in candidate ? `${candidate.method}, k ${candidate.k}` : candidate.method;
}

/** Formats a fit as lines of text. */
export function fitText(head: Head, report: FitReport): string {
  const { labels, counts, temperature, calibrated, unknown } = head.parameters.settings;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const lines = [
    `Fitted ${labels.length} classes on ${total} photos: ${nameOf(report.candidate)}.`,
  ];
  const { guessing, calibrationError } = report;
  if (!guessing || !calibrationError) {
    lines.push(
      "There are too few photos for cross-validation, which needs three a class: the accuracy is not " +
        "known (measure it on other photos with `deno task evaluate`), scores are not calibrated, and " +
        "no photo is labelled unknown.",
    );
  } else {
    const { accuracy, confidenceInterval, chance } = guessing;
    const [low, high] = confidenceInterval.map(percent);
    const { before, after } = calibrationError;
    lines.push(
      `Right on photos left out: ${percent(accuracy)} (95 %: ${low} to ${high}), by guessing ` +
        `${percent(chance)}.`,
      calibrated
        ? `Calibration error ${percent(before)}, with temperature ${temperature.toPrecision(3)} ` +
          `${percent(after)}.`
        : "Scores are not calibrated, because calibration would make them all equal. Temperature " +
          `${temperature.toPrecision(3)} keeps them apart; they are no probabilities.`,
    );
  }
  if (unknown) {
    const { criterion, threshold, falseRejectionRate } = unknown;
    lines.push(
      `Unknown with a ${criterion} below ${threshold.toPrecision(3)}: ` +
        `${percent(falseRejectionRate)} of the photos left out are; it tells ` +
        `${
          percent(report.unknown![criterion])
        } of pairs of a known and an unknown class, guessing ${percent(0.5)}.`,
    );
  }
  return lines.join("\n") + "\n";
}

/** The fields of a head that could not be cross-validated. */
const UNKNOWN_ACCURACY = {
  accuracy: null,
  confidence_interval: null,
  chance: null,
  better_than_guessing: null,
};

/** Formats a fit as JSON. */
export function fitJson(head: Head, report: FitReport, skipped: number): Record<string, unknown> {
  const { labels, counts, temperature, calibrated, unknown } = head.parameters.settings;
  return {
    ...candidateSettings(report.candidate),
    labels,
    counts,
    skipped,
    ...(report.guessing ? guessingJson(report.guessing) : UNKNOWN_ACCURACY),
    temperature,
    calibrated,
    ...(unknown
      ? {
        unknown: {
          criterion: unknown.criterion,
          threshold: unknown.threshold,
          false_rejection_rate: unknown.falseRejectionRate,
          auroc: report.unknown,
        },
      }
      : {}),
    ...(report.calibrationError ? { calibration_error: report.calibrationError } : {}),
    ...(report.logistic
      ? {
        objective: report.logistic.objective,
        gradient_norm: report.logistic.gradientNorm,
        iterations: report.logistic.iterations,
      }
      : {}),
    candidates: report.candidates.map(({ candidate, accuracy, negativeLogLikelihood }) => ({
      ...candidateSettings(candidate),
      accuracy,
      negative_log_likelihood: negativeLogLikelihood,
    })),
  };
}
