import { Buffer } from "node:buffer";
import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  createModel,
  decodeImage,
  fitHead,
  type Head,
  ImageDecodeError,
  type ImageInput,
  loadClassifier,
  loadModel,
  readModelFile,
  resize,
  rowsOf,
  type Tensor,
  writeModelWithHead,
} from "../../src/mod.ts";

const MODEL = await Deno.readFile("functions/_shared/model.onnx");
const model = await loadClassifier(MODEL);
const NAMES = ["ship", "dog", "truck"];
const files = await Promise.all(NAMES.map((name) => Deno.readFile(`test/images/${name}.jpg`)));
const images = await Promise.all(files.map((file) => decodeImage(file)));
const pixelValues = model.processor.preprocess(images);
const [file] = files as [Uint8Array<ArrayBuffer>];

const inputs: [string, ImageInput][] = [
  ["files' bytes", files],
  ["Buffers", files.map((file) => Buffer.from(file))],
  ["Blobs", files.map((file) => new Blob([file]))],
  ["decoded images", images],
  ["a mixture", [files[0]!, new Blob([files[1]!]), images[2]!]],
  ["pixel_values", pixelValues],
];

for (const [what, input] of inputs) {
  Deno.test(`a model takes ${what}`, async () => {
    const { shape, data } = await model.embed(input);
    assertEquals(shape, [3, 192]);
    assertEquals(data, (await model.embed(pixelValues)).data);
    assertEquals(await model.features(input), await model.features(pixelValues));
    const labels = await model.classify(input as typeof files, { topK: 1 });
    assertEquals(labels, await model.classify(pixelValues, { topK: 1 }));
    assertEquals(labels.map(([best]) => best?.label), NAMES);
  });
}

Deno.test("a single image is a batch of one, and has labels of its own", async () => {
  const [first] = rowsOf(await model.embed(files));
  for (const image of [file, new Blob([file]), images[0]!]) {
    const { shape, data } = await model.embed(image);
    assertEquals([shape, data], [[1, 192], first]);
    const [labels] = await model.classify([image]);
    assertEquals(await model.classify(image), labels);
  }
});

Deno.test("embed() gives CLS or the patches' mean of embedTokens(), also normalised", async () => {
  const tokens = await model.embedTokens(files);
  assertEquals(tokens.shape, [3, 65, 192]);
  const cls = rowsOf(await model.embed(files));
  const mean = rowsOf(await model.embed(files, { pool: "mean" }));
  rowsOf(tokens).forEach((image, b) => {
    assertEquals(image.subarray(0, 192), cls[b]);
    for (let d = 0; d < 192; d += 17) {
      let sum = 0;
      for (let t = 1; t < 65; t++) sum += image[192 * t + d]!;
      assertAlmostEquals(mean[b]![d]!, sum / 64, 1e-6);
    }
  });
  const unit = rowsOf(await model.embed(files, { normalize: true }));
  for (const [b, row] of unit.entries()) {
    assertAlmostEquals(Math.hypot(...row), 1, 1e-6);
    assertAlmostEquals(row[0]!, cls[b]![0]! / Math.hypot(...cls[b]!), 1e-6);
  }
});

Deno.test("embedTokens() has CLS and the patches that are kept", async () => {
  assertEquals((await model.embedTokens(file, { keepPatches: 0.25 })).shape, [1, 17, 192]);
});

Deno.test("heads take features as a tensor, or as the vectors of several calls", async () => {
  const labels = NAMES;
  const features = await model.features(files);
  const { head } = fitHead({ features, labels }, { method: "prototypes" });
  const vectors = rowsOf(features);
  assertEquals(fitHead({ features: vectors, labels }, { method: "prototypes" }).head, head);
  const best = (features: Parameters<Head["predict"]>[0]) =>
    head.predict(features, { topK: 1 }).map(([best]) => best?.label);
  assertEquals(best(features), NAMES);
  assertEquals(best(vectors), NAMES);
  const bytes = new Uint8Array(
    await new Blob(writeModelWithHead(MODEL, head.parameters) as BlobPart[]).arrayBuffer(),
  );
  await using fitted = await loadClassifier(bytes);
  assertEquals((await fitted.classify(file))[0]?.label, "ship");
});

Deno.test("images are decoded as decode says", async () => {
  const exact = await Promise.all(files.map((file) => decodeImage(file, { decode: "exact" })));
  assertEquals(await model.embed(files, { decode: "exact" }), await model.embed(exact));
  const size = { width: 32, height: 32 };
  const fast = await Promise.all(
    files.map((file) => decodeImage(file, { decode: "fast", size })),
  );
  assertEquals(await model.classify(files, { decode: "fast" }), await model.classify(fast));
});

Deno.test("images are held to the limits, and URLs to the hosts", async () => {
  const limits = { maxBytes: 100, maxPixels: 100, maxSide: 100 };
  await assertRejects(() => model.embed(files, { limits }), ImageDecodeError, "more than 100");
  await assertRejects(() => model.classify("https://a.test/1.jpg"), TypeError, "allowedHosts");
  const fetch = (url: URL) =>
    Promise.resolve(new Response(url.pathname === "/1.jpg" ? file : null));
  const options = { allowedHosts: ["a.test"], fetch };
  const labels = await model.classify("https://a.test/1.jpg", options);
  assertEquals(labels, await model.classify(file));
});

Deno.test("a list without images is refused", async () => {
  await assertRejects(() => model.embed([]), RangeError, "the list of images is empty");
  await assertRejects(() => model.classify([]), RangeError, "the list of images is empty");
});

Deno.test("images that differ after preprocessing are refused", async () => {
  const read = readModelFile(MODEL);
  const preprocessorConfig = { ...read.preprocessorConfig, doResize: false };
  await using unsized = await createModel({ ...read, preprocessorConfig });
  const small = resize(images[0]!, 32, 32, "bilinear");
  assertEquals((await unsized.embed([small, small])).shape, [2, 192]);
  const words = "image 1 becomes 480 × 360, but the first one 32 × 32";
  await assertRejects(() => unsized.embed([small, images[0]!]), RangeError, words);
});

Deno.test("a backbone's embed() takes bytes, too", async () => {
  await using backbone = await loadModel(MODEL);
  const tensor: Tensor<"float32"> = await backbone.embed(file);
  assertEquals(tensor.dtype, "float32");
});
