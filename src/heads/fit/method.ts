import { HEAD_METHODS, type HeadMethod } from "../../vit_msn/head/head_parameters.ts";
import { fitLogistic, type LogisticFit } from "./logistic.ts";
import type { Matrix } from "../../tensor/matrix.ts";
import { classMeans, prototypeScorer } from "./prototypes.ts";
import { Ridge } from "./ridge.ts";
import type { Samples } from "./samples.ts";
import type { Scorer } from "../scorer.ts";

export { HEAD_METHODS };
export type { HeadMethod };

/** A method and its setting. */
export type HeadCandidate =
  | { readonly method: "logistic" | "ridge"; readonly l2: number }
  | { readonly method: "knn"; readonly k: number }
  | { readonly method: "prototypes" };

/** A fitted candidate. */
export interface CandidateFit {
  /** The fitted scorer. */
  readonly scorer: Scorer;
  /** The fit of a logistic regression. */
  readonly logistic?: LogisticFit;
}

/** The penalties to choose from, strongest first: each logistic fit is a good start for the next. */
const L2S = { logistic: [2.5, 0.25, 0.025, 0.0025], ridge: [10, 1, 0.1, 0.01] };
/** The numbers of neighbours to choose from. */
const NEIGHBOURS = [20, 5, 1];

/** A candidate under the names of head files and of `fit --json`, where `l2` is `lambd`. */
export function candidateSettings(
  candidate: HeadCandidate,
): { method: HeadMethod; lambd?: number; k?: number } {
  if (!("l2" in candidate)) return candidate;
  const { method, l2 } = candidate;
  return { method, lambd: l2 };
}

/** The candidate of each method if there are too few images for cross-validation to choose. */
export const DEFAULTS: Readonly<Record<HeadMethod, HeadCandidate>> = {
  logistic: { method: "logistic", l2: 0.25 },
  prototypes: { method: "prototypes" },
  knn: { method: "knn", k: 5 },
  ridge: { method: "ridge", l2: 1 },
};

/** The candidates of a method; with `l2`, only the one that has it. */
export function candidatesOf(method: HeadMethod, l2?: number): HeadCandidate[] {
  if (method === "prototypes") return [{ method }];
  if (method === "knn") return NEIGHBOURS.map((k) => ({ method, k }));
  return (l2 === undefined ? L2S[method] : [l2]).map((l2) => ({ method, l2 }));
}

/** The gradient tolerance of logistic regressions that are only compared. */
const ROUGH = 1e-3;

/**
 * Fits candidates on samples. Each logistic regression starts from the weights of the one before.
 *
 * @param final whether to fit to convergence, or only closely enough to compare candidates.
 */
export function fitCandidates(
  samples: Samples,
  candidates: readonly HeadCandidate[],
  { final }: { final: boolean },
): CandidateFit[] {
  let start: Matrix | undefined;
  let ridge: Ridge | undefined;
  return candidates.map((candidate) => {
    switch (candidate.method) {
      case "logistic": {
        const { l2 } = candidate;
        const logistic = fitLogistic(samples, {
          l2,
          ...(start ? { start } : {}),
          ...(final ? {} : { tolerance: ROUGH }),
        });
        start = logistic.weight;
        const bias = new Float64Array(samples.classCount);
        return { scorer: { kind: "linear", weight: logistic.weight, bias }, logistic };
      }
      case "ridge":
        ridge ??= new Ridge(samples);
        return { scorer: ridge.fit(candidate.l2) };
      case "prototypes":
        return { scorer: prototypeScorer(classMeans(samples)) };
      case "knn": {
        const { k } = candidate;
        const votes = votesOf(samples);
        return { scorer: { kind: "neighbours", support: samples.features, votes, k } };
      }
    }
  });
}

/** [n, K], the vote of each sample: its weight in the column of its class. */
export function votesOf({ classes, weights, classCount: K }: Samples): Matrix {
  const votes = { rows: classes.length, columns: K, data: new Float64Array(classes.length * K) };
  classes.forEach((c, i) => votes.data[i * K + c] = weights[i]!);
  return votes;
}
