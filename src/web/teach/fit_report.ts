import {
  evaluateLogits,
  fitHead,
  type FitReport,
  type Head,
  type HeadEvaluation,
} from "../../mod.ts";

/** A held-out photo that a fitted classifier gets wrong. */
export interface WrongPhoto {
  /** The index of the photo among those it was fitted on. */
  readonly index: number;
  /** The class that it is taken for. */
  readonly predicted: string;
  /** The score of that class. */
  readonly score: number;
  /** The score of its own class. */
  readonly own: number;
}

/** What a page says of a fit. */
export interface TeachReport {
  /** The classes, in the order of the confusion matrix. */
  readonly labels: readonly string[];
  /** The method and its setting, such as `ridge, L2 1`. */
  readonly method: string;
  /** Whether scores are calibrated. */
  readonly calibrated: boolean;
  /** Whether the classifier can tell photos of no class. */
  readonly knowsUnknown: boolean;
  /** On held-out photos, each once. Undefined if there are too few photos for cross-validation. */
  readonly evaluation?: HeadEvaluation;
  /** Whether it is better than guessing; undefined with `evaluation`. */
  readonly isBetter?: boolean;
  /** Held-out photos that it gets wrong, those it is surest of first. */
  readonly wrong: readonly WrongPhoto[];
}

/**
 * Fits a classifier as `deno task fit` does, and evaluates it on held-out photos.
 *
 * @param features n features [D].
 * @param labels [n]
 * @param ids [n], the photos' ids in the file, so that `fit --add` knows them.
 * @throws {RangeError} as `fitHead`.
 */
export function fitAndReport(
  features: readonly Float32Array[],
  labels: readonly string[],
  ids: readonly string[],
): { head: Head; report: TeachReport } {
  const { head, report } = fitHead({ features, labels, ids });
  const { calibrated, unknown } = head.parameters.settings;
  const base = {
    labels: head.labels,
    method: methodText(report),
    calibrated,
    knowsUnknown: unknown !== undefined,
  };
  const { heldOut, guessing } = report;
  if (!heldOut || !guessing) return { head, report: { ...base, wrong: [] } };
  const rows = new Map<number, Float32Array>();
  // Of repeated cross-validation, the first prediction of each photo: the counts are those of photos.
  heldOut.images.forEach((image, row) => {
    if (!rows.has(image)) rows.set(image, heldOut.logits[row]!);
  });
  const images = [...rows.keys()];
  const evaluation = evaluateLogits(
    [...rows.values()],
    images.map((image) => labels[image]!),
    head.labels,
    head.parameters.settings.temperature,
  );
  return {
    head,
    report: {
      ...base,
      evaluation,
      isBetter: guessing.isBetter,
      wrong: wrongPhotos(rows, labels, head.labels),
    },
  };
}

function wrongPhotos(
  rows: ReadonlyMap<number, Float32Array>,
  labels: readonly string[],
  classes: readonly string[],
): WrongPhoto[] {
  const wrong: WrongPhoto[] = [];
  for (const [index, logits] of rows) {
    const scores = softmaxOf(logits);
    const best = scores.indexOf(Math.max(...scores));
    const own = classes.indexOf(labels[index]!);
    if (best === own) continue;
    wrong.push({ index, predicted: classes[best]!, score: scores[best]!, own: scores[own]! });
  }
  return wrong.sort((a, b) => (b.score - b.own) - (a.score - a.own));
}

function softmaxOf(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (z) => Math.exp(z - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function methodText({ candidate }: FitReport): string {
  if ("l2" in candidate) return `${candidate.method}, L2 ${candidate.l2}`;
  if (!("k" in candidate)) return candidate.method;
  return `${candidate.k} nearest neighbour${candidate.k === 1 ? "" : "s"}`;
}
