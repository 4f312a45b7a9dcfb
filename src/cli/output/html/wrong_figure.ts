import { escape } from "@std/html/entities";
import type { RawImage } from "../../../image/raw_image.ts";
import { percent } from "../../../heads/evaluate/percent.ts";
import { writePng } from "../../../image/write_png.ts";

/** A misclassified image. */
export interface WrongImage {
  readonly file: string;
  readonly label: string;
  readonly guess: string;
  readonly score: number;
}

/** A misclassified image with a thumbnail. */
export interface WrongThumbnail extends WrongImage {
  readonly thumbnail: RawImage;
}

/** A misclassified image as an HTML figure, with its thumbnail in the page itself. */
export async function wrongFigure(
  { file, label, guess, score, thumbnail }: WrongThumbnail,
): Promise<string> {
  const data = (await writePng(thumbnail)).toBase64();
  return `<figure><img alt="" src="data:image/png;base64,${data}"><figcaption>${
    escape(label)
  }, named ${escape(guess)} (${percent(score)})<br>${escape(file)}</figcaption></figure>`;
}
