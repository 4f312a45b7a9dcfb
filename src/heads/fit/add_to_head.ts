import { rowsOf } from "../../tensor/rows_of.ts";
import type { HeadParameters } from "../../vit_msn/head/head_parameters.ts";
import { fitHead, type FitReport } from "./fit_head.ts";
import {
  type FitOptions,
  type LabelledFeatures,
  type LabelledVectors,
  labelledVectors,
} from "./fit_options.ts";
import { Head } from "../head.ts";
import { matrixOf, rowOf, toTensor } from "../../tensor/matrix.ts";
import { classMeans, prototypeScorer } from "./prototypes.ts";
import { linearTensors } from "../scorer.ts";

/** The result of {@linkcode extendHead}. */
export interface Extension {
  /** The head with the new images; the given head if no image was new. */
  readonly head: Head;
  /** The report of the fit, if the head was fitted again. */
  readonly report?: FitReport;
  /** The images that were skipped because the head has them, with their labels in the head. */
  readonly already: readonly { readonly index: number; readonly label: string }[];
  /** Whether the head records its images, by their features or ids. */
  readonly knowsImages: boolean;
}

/** Two features with at least this cosine come from the same image. */
const SAME = 1 - 1e-6;

/**
 * Adds images, and with them classes, to a head. A head that keeps its images' features is fitted again on
 * the old and new images, with the same method and setting. Without the features only prototypes can be
 * extended, because each is a mean; the calibration and the rule for unknown images are then not updated.
 * Images that the head already has are skipped, if it keeps their features or ids.
 *
 * @throws {TypeError} if the head keeps no features and its method is not `prototypes`.
 * @throws {RangeError} if a feature has another length than the head's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addToHead } from "./add_to_head.ts";
 * import { fitHead } from "./fit_head.ts";
 *
 * const support = {
 *   features: [Float32Array.of(1, 0), Float32Array.of(0, 1)],
 *   labels: ["east", "north"],
 * };
 * const { head } = fitHead(support, { method: "prototypes" });
 * const more = addToHead(head, { features: [Float32Array.of(-1, 0)], labels: ["west"] });
 * assertEquals(more.labels, ["east", "north", "west"]);
 * ```
 */
export function addToHead(head: Head, added: LabelledFeatures, options: FitOptions = {}): Head {
  return extendHead(head, added, options).head;
}

/** Like {@linkcode addToHead}, but also reports the skipped images and the fit. */
export function extendHead(
  head: Head,
  labelled: LabelledFeatures,
  options: FitOptions = {},
): Extension {
  const added = labelledVectors(labelled);
  const { settings, tensors: { support, votes, means } } = head.parameters;
  const D = means.shape[1]!;
  const misfit = added.features.find((feature) => feature.length !== D);
  if (misfit) {
    throw new RangeError(`Cannot add a feature of ${misfit.length} numbers: the head's have ${D}`);
  }
  if (!support && settings.method !== "prototypes") {
    throw new TypeError(
      `Cannot add to a head of the method ${settings.method}: it does not keep the features of the ` +
        "earlier images; fit it again on all images, with --keep-features to add more later",
    );
  }
  const old = support && votes ? supportOf(head.parameters) : undefined;
  const knowsImages = old !== undefined || settings.photos !== undefined;
  const already = added.features.flatMap((_, index) => {
    const label = labelInHead(head.parameters, old, added, index);
    return label === undefined ? [] : [{ index, label }];
  });
  const left = new Set(already.map(({ index }) => index));
  const news = take(added, (i) => !left.has(i));
  if (news.features.length === 0) return { head, already, knowsImages };
  if (!old) return { head: withMoreImages(head.parameters, news), already, knowsImages };
  const { method, lambd: l2 } = settings;
  const all = {
    features: [...old.features, ...news.features],
    labels: [...old.labels, ...news.labels],
    ...(old.ids && news.ids ? { ids: [...old.ids, ...news.ids] } : {}),
  };
  return {
    ...fitHead(all, {
      ...options,
      method,
      ...(l2 === undefined ? {} : { l2 }),
      keepFeatures: true,
    }),
    already,
    knowsImages,
  };
}

/** The images that a head with kept features was fitted on. */
function supportOf({ settings, tensors: { support, votes } }: HeadParameters): LabelledVectors {
  const { labels: names, photos } = settings;
  const labels = rowsOf(votes!).map((row) => names[row.findIndex((vote) => vote > 0)]!);
  const features = rowsOf(support!);
  if (!photos) return { features, labels };
  const next = names.map(() => 0);
  const ids = labels.map((label) => {
    const c = names.indexOf(label);
    return photos[c]![next[c]!++] ?? "";
  });
  return { features, labels, ids };
}

/** The label that a head has for an image; undefined if the image is not recorded in the head. */
function labelInHead(
  { settings: { labels, photos } }: HeadParameters,
  old: LabelledVectors | undefined,
  { features, ids }: LabelledVectors,
  index: number,
): string | undefined {
  const id = ids?.[index];
  const byId = id === undefined ? -1 : photos?.findIndex((own) => own.includes(id)) ?? -1;
  if (byId !== -1) return labels[byId];
  const feature = features[index]!;
  const same =
    old?.features.findIndex((other) =>
      feature.reduce((sum, x, d) => sum + x * other[d]!, 0) >= SAME
    ) ?? -1;
  return old?.labels[same];
}

/** Updates the prototypes, which are means, with more images. */
function withMoreImages(
  { settings, tensors: { means } }: HeadParameters,
  added: LabelledVectors,
): Head {
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
  const newMeans = matrixOf(rows);
  const { photos, ...others } = settings;
  const { ids } = added;
  return new Head({
    settings: {
      ...others,
      labels,
      counts,
      ...(photos && ids
        ? {
          photos: labels.map((label, c) => [
            ...photos[settings.labels.indexOf(label)] ?? [],
            ...ids.filter((_, i) => classes[i] === c),
          ]),
        }
        : {}),
    },
    tensors: { ...linearTensors(prototypeScorer(newMeans)), means: toTensor(newMeans) },
  });
}

function take(
  { features, labels, ids }: LabelledVectors,
  wanted: (i: number) => boolean,
): LabelledVectors {
  const some = <T>(list: readonly T[]) => list.filter((_, i) => wanted(i));
  return {
    features: some(features),
    labels: some(labels),
    ...(ids ? { ids: some(ids) } : {}),
  };
}
