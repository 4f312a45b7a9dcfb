import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { effectiveRank } from "../../../../src/train/msn/monitor/effective_rank.ts";
import { featureSimilarity } from "../../../../src/train/msn/monitor/feature_similarity.ts";
import { knnAccuracy } from "../../../../src/train/msn/monitor/knn_accuracy.ts";
import { Monitor, type MonitorOptions } from "../../../../src/train/msn/monitor/monitor.ts";
import { uniform } from "../../../random.ts";

/** The labels of so many images a class, mixed. */
function labelsOf(counts: readonly number[]): (number | undefined)[] {
  const number = uniform(11);
  return counts.flatMap((count, label) => Array<number>(count).fill(label))
    .map((label) => ({ label, at: number() }))
    .sort((a, b) => a.at - b.at)
    .map(({ label }) => label);
}

/** The features of images, with the class in the first numbers and noise of some size. */
function featuresOf(
  images: readonly number[],
  labels: readonly (number | undefined)[],
  noise: number,
): Float32Array[] {
  return images.map((image) => {
    const number = uniform(image);
    return Float32Array.from(
      { length: 12 },
      (_, i) => (i === labels[image] ? 1 : 0) + noise * (number() - 0.5),
    );
  });
}

/** The labels of the images that a monitor has chosen, and the number of others. */
function parts(options: MonitorOptions) {
  const { images, support, queries } = new Monitor(options);
  assertEquals(images.slice(0, support.length + queries.length), [...support, ...queries]);
  const labels = (chosen: readonly number[]) => chosen.map((image) => options.labels[image]);
  return {
    support: labels(support),
    queries: labels(queries),
    others: images.length - support.length - queries.length,
  };
}

function count(labels: readonly unknown[], label: number): number {
  return labels.filter((each) => each === label).length;
}

Deno.test("every class is in supports and queries, two to one", () => {
  const counts = [2, 3, 30, 9, 1];
  const labels = [...labelsOf(counts), undefined, undefined];
  const { support, queries, others } = parts({ labels, classes: 5, seed: 3 });
  assertEquals([0, 1, 2, 3, 4].map((c) => count(queries, c)), [1, 1, 10, 3, 0]);
  assertEquals([0, 1, 2, 3, 4].map((c) => count(support, c)), [1, 2, 20, 6, 0]);
  assertEquals(others, 3, "the single image of class 4 and those without a label");
});

Deno.test("the choice keeps to its maxima in proportion, with one of each class at least", () => {
  const labels = labelsOf([400, 100, 4, 2]);
  const options = { labels, classes: 4, seed: 3, maxSupport: 60, maxQueries: 20 };
  const { support, queries, others } = parts({ ...options, maxUnlabelled: 2 });
  assert(support.length <= 60 && support.length > 54, `${support.length}`);
  assert(queries.length <= 20 && queries.length > 16, `${queries.length}`);
  assertEquals(others, 0);
  for (const part of [support, queries]) {
    assert([2, 3].every((c) => count(part, c) === 1));
    const ratio = count(part, 0) / count(part, 1);
    assert(ratio > 3 && ratio < 5, `${ratio}`);
  }
  assertEquals(new Monitor({ ...options, maxUnlabelled: 100 }).images.length, 100);
});

Deno.test("of more classes than there may be queries, some are chosen", () => {
  const labels = labelsOf(Array(50).fill(3));
  const { support, queries } = parts({ labels, classes: 50, seed: 1, maxQueries: 8 });
  assertEquals(new Set(queries).size, 8);
  assertEquals(support.length, 16);
  assertEquals(new Set(support), new Set(queries));
});

Deno.test("the default maxima are 2,000, 1,000, and 1,000 without labels", () => {
  const labels = labelsOf([5000, 3000]);
  const { images } = new Monitor({ labels, classes: 2, seed: 0 });
  assert(images.length <= 3000 && images.length > 2990, `${images.length}`);
  const unknown = new Monitor({ labels: Array(5000).fill(undefined), classes: 0, seed: 0 });
  assertEquals(new Set(unknown.images).size, 1000);
});

Deno.test("the seed alone decides which images are chosen, each once", () => {
  const options = { labels: labelsOf([200, 300]), classes: 2, maxSupport: 40, maxQueries: 20 };
  const { images } = new Monitor({ ...options, seed: 5 });
  assertEquals(new Monitor({ ...options, seed: 5 }).images, images);
  assertNotEquals(new Monitor({ ...options, seed: 6 }).images, images);
  assertEquals(new Set(images).size, images.length);
  assert(images.every((image) => image >= 0 && image < 500));
});

Deno.test("the measurement is that of the supports, the queries and all images", () => {
  const labels = [...labelsOf([60, 30, 30]), ...Array<undefined>(40).fill(undefined)];
  const options = { labels, classes: 3, seed: 2 };
  const monitor = new Monitor(options);
  assertEquals([monitor.support.length, monitor.queries.length], [80, 40]);
  const features = featuresOf(monitor.images, labels, 3);
  const part = (from: number, to: number) => ({
    features: features.slice(from, to),
    labels: monitor.images.slice(from, to).map((image) => labels[image]!),
  });
  const measured = monitor.measure(features);
  assertEquals(measured, {
    knnAccuracy: knnAccuracy(part(0, 80), part(80, 120), { classes: 3 }),
    guessing: 0.5,
    effectiveRank: effectiveRank(features),
    largestRank: 12,
    featureSimilarity: featureSimilarity(features),
  });
  assert(measured.knnAccuracy! < 1);
  assertEquals(monitor.measure(featuresOf(monitor.images, labels, 0.1)).knnAccuracy, 1);
  const byImage = new Map(monitor.images.map((image, i) => [image, features[i]!]));
  assertEquals(monitor.measure(byImage), measured);
});

Deno.test("images that could not be read are left out", () => {
  const labels = labelsOf([6, 6]);
  const monitor = new Monitor({ labels, classes: 2, seed: 2 });
  const features = featuresOf(monitor.images, labels, 0.1);
  const from = (first: number) =>
    new Map(monitor.images.map((image, i) => [image, features[i]!] as const).slice(first));
  assertEquals(monitor.measure(from(1)).effectiveRank, effectiveRank(features.slice(1)));
  assertEquals(monitor.measure(from(1)).knnAccuracy, 1);
  const queries = monitor.measure(from(8)); // no support is left
  assertEquals([queries.knnAccuracy, queries.guessing, queries.largestRank], [
    undefined,
    undefined,
    3,
  ]);
  assert(!("knnAccuracy" in queries));
  assertThrows(() => monitor.measure(from(11)), RangeError, "there are 1");
});

Deno.test("without two classes of two images, only rank and similarity are measured", () => {
  for (const labels of [Array(9).fill(undefined), Array(9).fill(1), [0, 1, 1, 1], [0, 1]]) {
    const monitor = new Monitor({ labels, classes: 2, seed: 0 });
    assertEquals(monitor.images.toSorted((a, b) => a - b), [...labels.keys()]);
    const measured = monitor.measure(featuresOf(monitor.images, labels, 1));
    assertEquals(
      Object.keys(measured).sort(),
      ["effectiveRank", "featureSimilarity", "largestRank"],
    );
  }
});

Deno.test("bad choices and features are refused", () => {
  const options = { labels: [0, 0, 1, 1], classes: 2, seed: 0 };
  const refuse = (wrong: Partial<MonitorOptions>, message: string) =>
    assertThrows(() => new Monitor({ ...options, ...wrong }), RangeError, message);
  refuse({ labels: [] }, "there are 0");
  refuse({ labels: [1] }, "there are 1");
  refuse({ labels: [0, 2] }, "a label is 2, of 2 classes");
  refuse({ labels: [0, -1] }, "a label is -1");
  refuse({ labels: [0, 0.5] }, "a label is 0.5");
  refuse({ maxSupport: 1 }, "maxSupport is 1");
  refuse({ maxQueries: 2.5 }, "maxQueries is 2.5");
  refuse({ maxUnlabelled: NaN }, "maxUnlabelled is NaN");
  const monitor = new Monitor(options);
  const feature = Float32Array.of(1, 2);
  assertThrows(() => monitor.measure([feature]), RangeError, "1 were given for 4 images");
  const broken = [feature, feature, feature, Float32Array.of(NaN, 1)];
  assertThrows(() => monitor.measure(broken), RangeError, "not finite");
});
