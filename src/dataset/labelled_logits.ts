import { computedImages } from "./computed_images.ts";
import type { LabelledImage } from "./image_files.ts";
import type { LabelledOptions } from "./labelled_features.ts";

/** The logits of labelled images, without skipped ones. */
export interface FoundLogits {
  readonly logits: readonly Float32Array[];
  readonly labels: readonly string[];
  readonly files: readonly string[];
  readonly skipped: number;
}

/**
 * Computes the logits of labelled images. Unreadable images are skipped; duplicates count.
 *
 * @throws {Error} if no image is left.
 */
export async function labelledLogits(
  images: readonly LabelledImage[],
  { onLeftOut, onImage, ...computing }: LabelledOptions<Float32Array>,
): Promise<FoundLogits> {
  const found: { logits: Float32Array; label: string; file: string }[] = [];
  let next = 0;
  for await (const { file, result, error } of computedImages(images, computing)) {
    const { label } = images[next++]!;
    if (result) found.push({ logits: result, label, file });
    else onLeftOut({ file, error: error! });
    onImage();
  }
  if (found.length === 0) throw new Error("no photo can be read");
  return {
    logits: found.map(({ logits }) => logits),
    labels: found.map(({ label }) => label),
    files: found.map(({ file }) => file),
    skipped: images.length - found.length,
  };
}
