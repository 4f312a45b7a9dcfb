import type { RawImage } from "../image/raw_image.ts";

/** Labelled images that a model learns from, or is measured on. */
export interface TrainingSet {
  /** The class of each image, an index of the classes' names. */
  readonly labels: readonly number[];
  /** Tells the images from others: a training can only be resumed with the same. Default none: labels must do. */
  readonly digest?: string;
  /**
   * An image by its number. It is called once for each use and may be called ahead.
   *
   * @throws {Error} if it cannot be read any more; training goes on without it.
   */
  image(index: number): Promise<RawImage> | RawImage;
}
