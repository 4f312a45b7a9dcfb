import { NEIGHBOUR_TEMPERATURE, NO_VOTES } from "../vit_msn/head/head_graph.ts";
import type { HeadTensors } from "../vit_msn/head/head_parameters.ts";
import { matmul, type Matrix, rowOf, toTensor, transpose } from "../tensor/matrix.ts";

/** A linear scorer: `z = W f + b`. */
export interface LinearScorer {
  readonly kind: "linear";
  /** [K, D] */
  readonly weight: Matrix;
  /** [K] */
  readonly bias: Float64Array;
}

/**
 * A k-NN scorer. The k nearest supports vote, ties included, each weighted by its similarity:
 *
 *     z_c = log(ε + Σ votes[j, c] exp((s_j - max s) / τ)), s = S f, over the k largest s_j
 */
export interface NeighboursScorer {
  readonly kind: "neighbours";
  /** S [n, D] */
  readonly support: Matrix;
  /** [n, K], the vote of each support for each class. */
  readonly votes: Matrix;
  /** The number of neighbours. */
  readonly k: number;
}

/** The fitted model of a head, without its calibration. */
export type Scorer = LinearScorer | NeighboursScorer;

/** A linear scorer's tensors, as a head file stores them. */
export function linearTensors(
  { weight, bias }: LinearScorer,
): Required<Pick<HeadTensors, "weight" | "bias">> {
  return {
    weight: toTensor(weight),
    bias: { dtype: "float32", shape: [bias.length], data: Float32Array.from(bias) },
  };
}

/**
 * Computes logits without calibration.
 *
 * @param features [n, D]
 * @returns [n, K]
 */
export function scoresOf(scorer: Scorer, features: Matrix): Matrix {
  if (scorer.kind === "linear") {
    const { rows, columns, data } = matmul(features, transpose(scorer.weight));
    return { rows, columns, data: data.map((z, i) => z + scorer.bias[i % columns]!) };
  }
  const { support, votes, k } = scorer;
  const similarities = matmul(features, transpose(support));
  for (let i = 0; i < similarities.rows; i++) {
    const row = rowOf(similarities, i);
    const ranked = row.toSorted();
    const least = ranked[Math.max(0, row.length - k)]!;
    const most = ranked.at(-1)!;
    for (let j = 0; j < row.length; j++) {
      row[j] = row[j]! < least ? 0 : Math.exp((row[j]! - most) / NEIGHBOUR_TEMPERATURE);
    }
  }
  const { rows, columns, data } = matmul(similarities, votes);
  return { rows, columns, data: data.map((vote) => Math.log(vote + NO_VOTES)) };
}
