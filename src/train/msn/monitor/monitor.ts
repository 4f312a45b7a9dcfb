import { groupBy } from "../../../host/group_by.ts";
import { randomStream, shuffled, Stream } from "../../random_stream.ts";
import { effectiveRank } from "./effective_rank.ts";
import { featureSimilarity } from "./feature_similarity.ts";
import { knnAccuracy, type LabelledFeatures } from "./knn_accuracy.ts";

/** How good features are. */
export interface FeatureMeasurement {
  /**
   * The accuracy of weighted 20-nearest neighbours, from 0 to 1; absent if fewer than two classes have two
   * labelled images.
   */
  readonly knnAccuracy?: number;
  /** The accuracy of always naming the queries' most frequent class; absent if `knnAccuracy` is. */
  readonly guessing?: number;
  /** The effective rank of the centred features, from 1 to `largestRank`. */
  readonly effectiveRank: number;
  /** The largest effective rank that so many features of this length can have: min(D, n - 1). */
  readonly largestRank: number;
  /** The mean cosine similarity of the features of different images, not centred: 1 if all are the same. */
  readonly featureSimilarity: number;
}

/** Which images a monitor chooses from, and how many. */
export interface MonitorOptions {
  /** The class of each image, from 0 to `classes` - 1; `undefined` if it is not known. */
  readonly labels: readonly (number | undefined)[];
  /** The number of classes. */
  readonly classes: number;
  /** The seed of the choice. */
  readonly seed: number;
  /** The largest number of supports; default 2000. */
  readonly maxSupport?: number;
  /** The largest number of queries; default 1000. */
  readonly maxQueries?: number;
  /**
   * If there are fewer supports and queries than this, other images, labelled or not, fill up to it for the
   * rank and the similarity; default 1000.
   */
  readonly maxUnlabelled?: number;
}

/**
 * Measures the features of the same images throughout a pre-training. The labels serve for nothing else: MSN
 * learns without them.
 *
 * Supports and queries are drawn at random, in proportion to their class, two to one, at least one each; a
 * class with one labelled image has no part in it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Monitor } from "./monitor.ts";
 *
 * const labels = [0, 1, 0, 1, 0, 1, undefined];
 * const monitor = new Monitor({ labels, classes: 2, seed: 1 });
 * assertEquals(monitor.images.length, 7);
 *
 * const featureOf = (image: number) => Float32Array.of(labels[image] === 1 ? 1 : -1, image / 100, 1);
 * const { knnAccuracy, guessing, largestRank } = monitor.measure(monitor.images.map(featureOf));
 * assertEquals([knnAccuracy, guessing, largestRank], [1, 0.5, 3]);
 * ```
 */
export class Monitor {
  /** The images whose features are needed, by their index among the labels: supports, queries, others. */
  readonly images: readonly number[];
  /** The images whose classes are known to the nearest neighbours; empty if there are no two classes. */
  readonly support: readonly number[];
  /** The images whose classes they predict; empty if there are no two classes. */
  readonly queries: readonly number[];
  readonly #labels: readonly (number | undefined)[];
  readonly #classes: number;

  /**
   * Chooses the images, which depends on nothing but the options.
   *
   * @throws {RangeError} if there are fewer than two images, a label is none of the classes, or a maximum is no
   * whole number from 2 on.
   */
  constructor(
    {
      labels,
      classes,
      seed,
      maxSupport = 2000,
      maxQueries = 1000,
      maxUnlabelled = 1000,
    }: MonitorOptions,
  ) {
    check(labels, classes, { maxSupport, maxQueries, maxUnlabelled });
    const order = shuffled(labels.length, randomStream(seed, Stream.MONITOR));
    const { support, queries } = split(order, labels, maxSupport, maxQueries);
    const labelled = [...support, ...queries];
    const chosen = new Set(labelled);
    const others = order.filter((image) => !chosen.has(image))
      .slice(0, Math.max(0, maxUnlabelled - labelled.length));
    this.images = [...labelled, ...others];
    this.#labels = labels.slice();
    this.#classes = classes;
    this.support = support;
    this.queries = queries;
  }

  /**
   * Judges features.
   *
   * @param features those of `images`, in the same order, or by the number of the image. In a map, images can be
   * missing, such as files that could not be read: they are left out.
   * @throws {RangeError} if there are fewer than two, a list has another length than `images`, features differ
   * in length or are not finite.
   */
  measure(
    features: ReadonlyMap<number, Float32Array> | readonly Float32Array[],
  ): FeatureMeasurement {
    if (Array.isArray(features) && features.length !== this.images.length) {
      throw new RangeError(
        `Cannot measure features: ${features.length} were given for ${this.images.length} images`,
      );
    }
    const byImage = features instanceof Map
      ? features as ReadonlyMap<number, Float32Array>
      : new Map(this.images.map((image, i) => [image, (features as Float32Array[])[i]!]));
    const all = this.images.flatMap((image) => byImage.get(image) ?? []);
    return {
      ...this.#judgeClasses(byImage),
      featureSimilarity: featureSimilarity(all),
      effectiveRank: effectiveRank(all),
      largestRank: Math.min(all[0]!.length, all.length - 1),
    };
  }

  #judgeClasses(features: ReadonlyMap<number, Float32Array>) {
    const support = this.#labelled(this.support, features);
    const queries = this.#labelled(this.queries, features);
    if (support.labels.length === 0 || queries.labels.length === 0) return {};
    const counts = new Float64Array(this.#classes);
    for (const label of queries.labels) counts[label]!++;
    return {
      knnAccuracy: knnAccuracy(support, queries, { classes: this.#classes }),
      guessing: counts.reduce((a, b) => Math.max(a, b)) / queries.labels.length,
    };
  }

  #labelled(
    images: readonly number[],
    features: ReadonlyMap<number, Float32Array>,
  ): LabelledFeatures {
    const present = images.filter((image) => features.has(image));
    return {
      features: present.map((image) => features.get(image)!),
      labels: present.map((image) => this.#labels[image]!),
    };
  }
}

function check(
  labels: readonly (number | undefined)[],
  classes: number,
  sizes: Readonly<Record<string, number>>,
): void {
  const cannot = "Cannot choose images to monitor";
  if (labels.length < 2) {
    throw new RangeError(`${cannot}: at least 2 are needed, there are ${labels.length}`);
  }
  for (const label of labels) {
    if (label === undefined || Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new RangeError(`${cannot}: a label is ${label}, of ${classes} classes`);
  }
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isInteger(size) && size >= 2) continue;
    throw new RangeError(`${cannot}: ${name} is ${size}; give a whole number from 2 on`);
  }
}

/** The images of one class, in random order. */
type ClassImages = readonly number[];

/** Supports and queries, both with at least one image of each class that takes part; without two classes, none. */
function split(
  order: readonly number[],
  labels: readonly (number | undefined)[],
  maxSupport: number,
  maxQueries: number,
): { support: number[]; queries: number[] } {
  const byClass = groupBy(
    order.filter((image) => labels[image] !== undefined),
    (image) => labels[image]!,
  );
  // In the order of their first images, so that a random choice of classes remains if there are too many.
  const classes: ClassImages[] = [...byClass.values()].filter((images) => images.length >= 2)
    .slice(0, Math.min(maxSupport, maxQueries));
  if (classes.length < 2) return { support: [], queries: [] };
  const wanted = classes.map((images) => Math.max(1, Math.floor(images.length / 3)));
  const queryCounts = fit(wanted, maxQueries);
  const supportCounts = fit(
    classes.map((images, c) => images.length - queryCounts[c]!),
    maxSupport,
  );
  return {
    queries: classes.flatMap((images, c) => images.slice(0, queryCounts[c])),
    support: classes.flatMap((images, c) =>
      images.slice(queryCounts[c], queryCounts[c]! + supportCounts[c]!)
    ),
  };
}

/** Lowers counts in proportion, but not below 1, until their sum is at most `max`, at least one for each. */
function fit(counts: readonly number[], max: number): number[] {
  const above = counts.reduce((sum, count) => sum + count - 1, 0);
  const left = max - counts.length;
  if (above <= left) return [...counts];
  return counts.map((count) => 1 + Math.floor((count - 1) * left / above));
}
