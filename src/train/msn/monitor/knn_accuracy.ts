import { matmul, rowOf, transpose } from "../../../tensor/matrix.ts";
import { unitFeatureMatrix } from "./feature_matrix.ts";

/** Features of images and what the images show. */
export interface LabelledFeatures {
  /** The feature of each image; all have the same length. */
  readonly features: readonly Float32Array[];
  /** The class of each image, from 0 to `classes` - 1. */
  readonly labels: readonly number[];
}

/** How the neighbours vote. */
export interface KnnOptions {
  /** The number of neighbours that vote; default 20. If there are fewer supports, all vote. */
  readonly k?: number;
  /** T: a neighbour's vote is exp(similarity / T); default 0.07. */
  readonly temperature?: number;
  /** The number of classes. */
  readonly classes: number;
}

/** The queries whose similarities are held at a time, which bounds memory. */
const CHUNK = 256;

/**
 * The accuracy of the weighted k-nearest-neighbour classifier of Wu et al. (2018), "Unsupervised Feature
 * Learning via Non-Parametric Instance Discrimination", section 3.4, with the k and T of DINO's
 * `eval_knn.py`: the k supports with the largest cosine similarity s vote exp(s / T) each for their class.
 * Nothing is fitted, so it judges the features alone.
 *
 * Of equally similar supports, the first count; of classes with equal votes, that of the nearest support wins.
 *
 * @param support the labelled images that vote.
 * @param queries the images whose class is predicted.
 * @returns the share of queries with the correct class, from 0 to 1.
 * @throws {RangeError} if support or queries are empty, features differ in length or are not finite, or a
 * label or an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { knnAccuracy } from "./knn_accuracy.ts";
 *
 * const support = {
 *   features: [Float32Array.of(1, 0), Float32Array.of(0, 1)],
 *   labels: [0, 1],
 * };
 * const queries = {
 *   features: [Float32Array.of(5, 1), Float32Array.of(1, 3), Float32Array.of(4, 1)],
 *   labels: [0, 1, 1],
 * };
 * assertEquals(knnAccuracy(support, queries, { k: 1, classes: 2 }), 2 / 3);
 * ```
 */
export function knnAccuracy(
  support: LabelledFeatures,
  queries: LabelledFeatures,
  { k = 20, temperature = 0.07, classes }: KnnOptions,
): number {
  checkPositive("k", k, Number.isInteger(k));
  checkPositive("temperature", temperature, Number.isFinite(temperature));
  checkLabels("supports", support, classes);
  checkLabels("queries", queries, classes);
  const purpose = "find nearest neighbours";
  const supports = transpose(unitFeatureMatrix(support.features, purpose)); // [D, n]
  const nearest = new Nearest(Math.min(k, supports.columns));
  const votes = new Float64Array(classes);
  let correct = 0;
  for (let first = 0; first < queries.features.length; first += CHUNK) {
    const chunk = unitFeatureMatrix(queries.features.slice(first, first + CHUNK), purpose);
    const similarities = matmul(chunk, supports); // [chunk, n]
    for (let row = 0; row < chunk.rows; row++) {
      nearest.find(rowOf(similarities, row));
      const predicted = elect(nearest, support.labels, temperature, votes);
      if (predicted === queries.labels[first + row]) correct++;
    }
  }
  return correct / queries.features.length;
}

/** The largest of many numbers, in descending order. */
class Nearest {
  readonly indices: Int32Array;
  readonly values: Float64Array;

  constructor(k: number) {
    this.indices = new Int32Array(k);
    this.values = new Float64Array(k);
  }

  /** @param numbers at least k; of equal ones, the first count. */
  find(numbers: Float64Array): void {
    const { indices, values } = this;
    const last = values.length - 1;
    values.fill(-Infinity);
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      if (number <= values[last]!) continue;
      let place = last;
      for (; place > 0 && values[place - 1]! < number; place--) {
        values[place] = values[place - 1]!;
        indices[place] = indices[place - 1]!;
      }
      values[place] = number;
      indices[place] = i;
    }
  }
}

/** @param votes [classes], all 0 before and after. */
function elect(
  { indices, values }: Nearest,
  labels: readonly number[],
  temperature: number,
  votes: Float64Array,
): number {
  // Relative to the nearest one's, so that no temperature overflows.
  values.forEach((value, i) => {
    votes[labels[indices[i]!]!]! += Math.exp((value - values[0]!) / temperature);
  });
  let winner = labels[indices[0]!]!;
  for (const index of indices) {
    const label = labels[index]!;
    if (votes[label]! > votes[winner]!) winner = label;
  }
  for (const index of indices) votes[labels[index]!] = 0;
  return winner;
}

function checkPositive(name: string, value: number, isValid: boolean): void {
  if (isValid && value > 0) return;
  throw new RangeError(`Cannot find nearest neighbours: ${name} is ${value}; give a positive one`);
}

function checkLabels(name: string, { features, labels }: LabelledFeatures, classes: number): void {
  const cannot = "Cannot find nearest neighbours";
  if (features.length === 0) throw new RangeError(`${cannot}: there are no ${name}`);
  if (features.length !== labels.length) {
    throw new RangeError(
      `${cannot}: the ${name} have ${features.length} features and ${labels.length} labels`,
    );
  }
  const bad = labels.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (bad !== undefined) {
    throw new RangeError(`${cannot}: a label of the ${name} is ${bad}, of ${classes} classes`);
  }
}
