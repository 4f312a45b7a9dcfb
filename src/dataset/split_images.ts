import type { LabelledImage } from "./image_files.ts";

/**
 * Splits labelled images at random into those to train on and those to hold out. Of each class the share is
 * held out, but a class keeps at least one image to train on, and one with a single image has none held out.
 *
 * @param share from 0 to below 1.
 * @param max the most images to hold out.
 * @param random uniform numbers in [0, 1).
 */
export function splitImages(
  images: readonly LabelledImage[],
  share: number,
  max: number,
  random: () => number,
): { training: LabelledImage[]; heldOut: LabelledImage[] } {
  const part = Math.min(share, max / images.length);
  const drawn: LabelledImage[] = [];
  for (const [, members] of Map.groupBy(images, ({ label }) => label)) {
    const rest = [...members];
    const wanted = Math.round(part * members.length) || Number(part > 0 && members.length >= 4);
    for (let i = 0; i < Math.min(wanted, members.length - 1); i++) {
      const [image] = rest.splice(Math.floor(random() * rest.length), 1);
      drawn.push(image!);
    }
  }
  // Rounding up in each of many classes draws too many.
  while (drawn.length > max) drawn.splice(Math.floor(random() * drawn.length), 1);
  const heldOut = new Set(drawn);
  return {
    training: images.filter((image) => !heldOut.has(image)),
    heldOut: images.filter((image) => heldOut.has(image)),
  };
}
