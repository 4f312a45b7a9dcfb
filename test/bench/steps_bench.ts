// The steps from bytes to labels, one after the other: deno task bench

import { decodeImage, loadModel } from "../../src/mod.ts";

const modelBytes = Deno.readFileSync("functions/_shared/model.onnx");
const photo = Deno.readFileSync("test/images/ship.jpg");

const model = await loadModel(modelBytes);
const image = decodeImage(photo);
const pixelValues = model.processor.preprocess([image]);

Deno.bench(`decode a JPEG of ${image.width} × ${image.height}`, () => {
  decodeImage(photo);
});

Deno.bench("preprocess it to 32 × 32", () => {
  model.processor.preprocess([image]);
});

Deno.bench("run the embedded model", async () => {
  await model.forward(pixelValues, ["logits"]);
});

Deno.bench("all three", async () => {
  await model.classify([decodeImage(photo)]);
});

Deno.bench("load the embedded model", async () => {
  await using _model = await loadModel(modelBytes);
});
