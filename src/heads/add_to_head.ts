import type { Tensor } from "../tensor/tensor.ts";
import { fitHead, type FitOptions, type LabelledFeatures } from "./fit_head.ts";
import { Head } from "./head.ts";
import { matrixOf, rowOf, toTensor } from "./matrix.ts";
import { classMeans, prototypeScorer } from "./prototypes.ts";
import { linearTensors } from "./scorer.ts";

/**
 * Adds images, and with them classes, to a head. Where it kept its images' features, it is fitted anew on
 * all of them, by the same method and setting. Without them, prototypes can be moved: each is a mean. The
 * calibration and the rule for unknown images then stay what they were.
 *
 * @throws {TypeError} if the head has neither.
 * @throws {RangeError} if the features are not of the head's length.
 */
export function addToHead(head: Head, added: LabelledFeatures, options: FitOptions = {}): Head {
  const { settings, tensors: { support, votes, means } } = head.parameters;
  const D = means.shape[1]!;
  const misfit = added.features.find((feature) => feature.length !== D);
  if (misfit) {
    throw new RangeError(`Cannot add a feature of ${misfit.length} numbers: the head's have ${D}`);
  }
  if (support && votes) {
    const { method, lambd } = settings;
    return fitHead({
      features: [...rowsOf(support), ...added.features],
      labels: [
        ...rowsOf(votes).map((row) => settings.labels[row.findIndex((vote) => vote > 0)]!),
        ...added.labels,
      ],
    }, { ...options, method, ...(lambd === undefined ? {} : { lambd }), keepFeatures: true }).head;
  }
  if (settings.method !== "prototypes") {
    throw new TypeError(
      `Cannot add to a head of the method ${settings.method}: it takes the features of the earlier ` +
        "images; fit it again on all of them, with --keep-features to add more later",
    );
  }
  const labels = [...new Set([...settings.labels, ...added.labels])].sort();
  const classes = added.labels.map((label) => labels.indexOf(label));
  const news = classMeans({
    features: matrixOf(added.features),
    classes,
    classCount: labels.length,
  });
  const olds = rowsOf(means);
  const counts: number[] = [];
  const rows = labels.map((label, c) => {
    const old = settings.labels.indexOf(label);
    const before = old === -1 ? 0 : settings.counts[old]!;
    const more = classes.filter((other) => other === c).length;
    counts.push(before + more);
    return rowOf(news, c).map((x, d) =>
      (before * (old === -1 ? 0 : olds[old]![d]!) + more * x) / (before + more)
    );
  });
  const moved = matrixOf(rows);
  return new Head({
    settings: { ...settings, labels, counts },
    tensors: { ...linearTensors(prototypeScorer(moved)), means: toTensor(moved) },
  });
}

function rowsOf({ shape: [rows, columns], data }: Tensor<"float32">): Float32Array[] {
  return Array.from({ length: rows! }, (_, r) => data.subarray(r * columns!, (r + 1) * columns!));
}
