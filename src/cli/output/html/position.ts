/** How the text of a chart names places on the axis of x. */
export interface Position {
  /** A place with the word before it, such as "in epoch 3". */
  readonly at: (x: number) => string;
  /** A place as the name of a point, such as "epoch 3". */
  readonly name: (x: number) => string;
  /** A tick of the axis. */
  readonly tick: (x: number) => string;
  /** What several points are, such as "epochs". */
  readonly plural: string;
}

/** For figures by epoch. */
export const BY_EPOCH: Position = {
  at: (x) => `in epoch ${x}`,
  name: (x) => `epoch ${x}`,
  tick: String,
  plural: "epochs",
};

/**
 * For figures by images seen.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BY_IMAGES } from "./position.ts";
 *
 * assertEquals(BY_IMAGES.at(38400), "at 38,400 images");
 * assertEquals([0, 500, 20_000, 1_500_000].map(BY_IMAGES.tick), ["0", "500", "20k", "1.5M"]);
 * ```
 */
export const BY_IMAGES: Position = {
  at: (x) => `at ${imagesText(x)}`,
  name: imagesText,
  tick: (x) => x >= 1e6 ? `${x / 1e6}M` : x >= 1e3 ? `${x / 1e3}k` : String(x),
  plural: "records",
};

function imagesText(count: number): string {
  return `${count.toLocaleString("en")} image${count === 1 ? "" : "s"}`;
}
