import { computedImages, type ComputeOptions } from "./computed_images.ts";
import type { FeatureCache } from "./feature_cache.ts";
import type { LabelledImage } from "./image_files.ts";

/** The features of labelled images, without skipped ones. */
export interface FoundFeatures {
  /** n features, [D] each. */
  readonly features: readonly Float32Array[];
  /** n labels. */
  readonly labels: readonly string[];
  readonly files: readonly string[];
  /** The beginning of each image's SHA-256. */
  readonly ids: readonly string[];
  /** The number of skipped images: unreadable, duplicate, or with two labels. */
  readonly skipped: number;
}

/** Why an image is skipped. */
export type LeftOut<Label = string> =
  & { readonly file: string }
  & (
    | { readonly error: string }
    /** Another file is the same photo; if its label differs, both are skipped. */
    | { readonly twin: string; readonly label: Label; readonly twinLabel: Label }
  );

/** Options of the functions that process labelled images. */
export interface LabelledOptions<Result> extends Omit<ComputeOptions<Result>, "isKnown"> {
  readonly onLeftOut: (image: LeftOut) => void;
  /** Called after each image, skipped or not. */
  readonly onImage: () => void;
}

/** Options of {@linkcode labelledFeatures}. */
export interface FeatureOptions extends LabelledOptions<Float32Array> {
  /** Holds features of earlier runs, and keeps new ones. */
  readonly cache?: FeatureCache | undefined;
}

/** Hexadecimal digits of a SHA-256 that identify an image: 64 bits, enough for any collection. */
const ID_LENGTH = 16;

/**
 * Computes the features of labelled images. Unreadable images and duplicates are skipped, and so
 * are photos with two labels. An image whose feature is in the cache is not decoded.
 *
 * @throws {Error} if no image of a class is left; the message names it.
 */
export async function labelledFeatures(
  images: readonly LabelledImage[],
  { cache, onLeftOut, onImage, ...computing }: FeatureOptions,
): Promise<FoundFeatures> {
  const found = new Map<string, { file: string; label: string; feature: Float32Array }>();
  const failed = new Map<string, string>();
  const contradictory = new Set<string>();
  /** All images read so far, with pending features. */
  const seen = new Set<string>();
  const isKnown = (sha256: string) => {
    if (seen.has(sha256) || cache?.get(sha256)) return true;
    seen.add(sha256);
    return false;
  };
  let skipped = 0;
  let next = 0;
  const computed = computedImages(images, { ...computing, isKnown });
  for await (const { file, sha256 = "", result, error } of computed) {
    const { label } = images[next++]!;
    const twin = found.get(sha256);
    const reason = error ?? failed.get(sha256);
    if (twin) {
      skipped++;
      if (twin.label !== label) contradictory.add(sha256);
      onLeftOut({ file, label, twin: twin.file, twinLabel: twin.label });
    } else if (reason !== undefined) {
      skipped++;
      if (sha256 !== "") failed.set(sha256, reason);
      onLeftOut({ file, error: reason });
    } else {
      if (result) cache?.add(sha256, result);
      found.set(sha256, { file, label, feature: result ?? cache!.get(sha256)! });
    }
    onImage();
  }
  const kept = [...found].flatMap(([key, entry]) =>
    contradictory.has(key) ? [] : [{ key, ...entry }]
  );
  assertEveryClass(images, kept);
  return {
    features: kept.map(({ feature }) => feature),
    labels: kept.map(({ label }) => label),
    files: kept.map(({ file }) => file),
    ids: kept.map(({ key }) => key.slice(0, ID_LENGTH)),
    skipped: skipped + contradictory.size,
  };
}

function assertEveryClass(
  images: readonly LabelledImage[],
  kept: readonly { readonly label: string }[],
): void {
  const left = new Set(kept.map(({ label }) => label));
  for (const [label, { length }] of Map.groupBy(images, ({ label }) => label)) {
    if (left.has(label)) continue;
    throw new Error(
      `the class ${label} has no image: ${
        length === 1 ? "its only file" : `all ${length} of its files`
      } had to be left out`,
    );
  }
}
