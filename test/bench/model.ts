// The embedded model's steps, from bytes to labels.

import { decodeImage, loadClassifier } from "../../src/mod.ts";
import { medianTimes } from "./support/measure.ts";

const ROUNDS = 30;
const modelBytes = await Deno.readFile("functions/_shared/model.onnx");
const photo = await Deno.readFile("test/images/ship.jpg");

await using model = await loadClassifier(modelBytes);
const image = await decodeImage(photo);
const pixel_values = model.processor.preprocess([image]);

const times = await medianTimes({
  [`decode a JPEG of ${image.width} × ${image.height}`]: () => decodeImage(photo),
  "preprocess it to 32 × 32": () => model.processor.preprocess([image]),
  "run the embedded model": () => model.forward({ pixel_values }, { outputs: ["logits"] }),
  "all three": async () => model.classify([await decodeImage(photo)]),
  "load the embedded model, after the first time": async () => {
    await using _model = await loadClassifier(modelBytes);
  },
}, ROUNDS);

console.log(`\nThe embedded model, one thread; medians of ${ROUNDS} in ms\n`);
console.log("| step | ms |\n| --- | ---: |");
for (const [name, time] of Object.entries(times)) console.log(`| ${name} | ${time.toFixed(1)} |`);
