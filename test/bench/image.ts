// From the bytes of a JPEG to pixel_values, against imagescript's Image.decode alone.

import imagescript from "imagescript/wasm/node/jpeg.js";
import type { RawImage } from "../../src/image/raw_image.ts";
import { resizeReference } from "../image/transform/resize_reference.ts";
import { decodeImage, parsePreprocessorConfig, resize, ViTImageProcessor } from "../../src/mod.ts";
import { medianTimes } from "./support/measure.ts";
import { photoOf } from "./support/photo.ts";

const ROUNDS = 20;
const EXACT = { decode: "exact" } as const;
const SIZES = { "0.2 MP": [548, 365], "2 MP": [1732, 1155], "12 MP": [4240, 2830] } as const;
const TARGET = { width: 224, height: 224 };
const processor = new ViTImageProcessor(parsePreprocessorConfig({ size: TARGET }));
const normalizer = new ViTImageProcessor(parsePreprocessorConfig({ do_resize: false }));

/**
 * imagescript's `Image.decode` of a colour JPEG, line by line: its main entry cannot be imported
 * without the native addon of its encoders.
 */
async function imagescriptDecode(file: Uint8Array): Promise<Uint8ClampedArray> {
  const { width, height, buffer } = (await imagescript.init()).decode(file);
  const bitmap = new Uint8ClampedArray(4 * width * height);
  bitmap.fill(0xff);
  for (let i = 0; i < width * height; i++) bitmap.set(buffer.subarray(i * 3, i * 3 + 3), i * 4);
  return bitmap;
}

/** Mean and largest difference in levels. */
function difference(a: RawImage, b: RawImage): string {
  let [sum, max] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    const distance = Math.abs(a.data[i]! - b.data[i]!);
    [sum, max] = [sum + distance, Math.max(max, distance)];
  }
  return `mean ${(sum / a.data.length).toFixed(2)}, max ${max} levels`;
}

const rows = [];
for (const [name, [width, height]] of Object.entries(SIZES)) {
  const file = await photoOf(width, height);
  const fast = { decode: "fast", size: TARGET } as const;
  const image = await decodeImage(file);
  const resized = resize(image, TARGET.width, TARGET.height, "bilinear");
  const times = await medianTimes({
    "imagescript": () => imagescriptDecode(file),
    "whole": async () => processor.preprocess([await decodeImage(file)]),
    "decode": () => decodeImage(file),
    "resize": () => resize(image, TARGET.width, TARGET.height, "bilinear"),
    "resize in TypeScript": () => resizeReference(image, TARGET.width, TARGET.height, "bilinear"),
    "normalise": () => normalizer.preprocess([resized]),
    "whole, exact": async () => processor.preprocess([await decodeImage(file, EXACT)]),
    "whole, fast": async () => processor.preprocess([await decodeImage(file, fast)]),
  }, ROUNDS);
  const fastImage = resize(await decodeImage(file, fast), TARGET.width, TARGET.height, "bilinear");
  rows.push({ name, ...times, difference: difference(resized, fastImage) });
}

console.log(`JPEG to pixel_values of 224 × 224, one thread; medians of ${ROUNDS} in ms\n`);
console.log(
  "| image | imagescript's decode | decode | resize | (in TypeScript) | normalise | whole | ratio | exact | ratio | fast | fast's pixels |\n" +
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
);
for (const row of rows) {
  const ms = [
    row.imagescript,
    row.decode,
    row.resize,
    row["resize in TypeScript"],
    row.normalise,
    row.whole,
  ].map((time) => time.toFixed(1));
  const ratio = (row.whole / row.imagescript).toFixed(2);
  const exact = row["whole, exact"].toFixed(1);
  const exactRatio = (row["whole, exact"] / row.imagescript).toFixed(2);
  const fast = row["whole, fast"].toFixed(1);
  console.log(
    `| ${[row.name, ...ms, ratio, exact, exactRatio, fast, row.difference].join(" | ")} |`,
  );
}
