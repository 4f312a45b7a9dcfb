/**
 * What int8 changes on the embedded model: deno task bench:accuracy --photos FOLDER
 *
 * FOLDER has a folder a label. int8 is compared with f32, both on this project's kernels: the cosine of
 * the embeddings, whether the label is the same, and how many labels are right.
 *
 * @module
 */

import { findLabelledImages } from "../../src/dataset/labelled_images.ts";
import {
  decodeImage,
  loadClassifier,
  simdRuntime,
  type Tensor,
  type ViTMSNModel,
} from "../../src/mod.ts";
import { cosine } from "../golden/model.ts";
import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";
import { benchModel } from "./support/models.ts";

await runBench("bench:accuracy", async () => {
  const { values } = readArguments(Deno.args, ["photos"]);
  const [folder] = values.photos;
  if (!folder) throw new ArgumentError("--photos needs a folder with a folder a label");
  const images = await findLabelledImages(folder, console.error);
  const { fileOf } = await benchModel("embedded");
  const runtime = simdRuntime();
  await using f32 = await loadClassifier(fileOf("f32"), { runtime });
  await using int8 = await loadClassifier(fileOf("int8"), { runtime });
  const similarities: number[] = [];
  let same = 0, rightF32 = 0, rightInt8 = 0;
  for (const { file, label } of images) {
    const pixels = f32.processor.preprocess([await decodeImage(await Deno.readFile(file))]);
    const expected = await answer(f32, pixels);
    const actual = await answer(int8, pixels);
    similarities.push(cosine(actual.embedding, expected.embedding));
    same += Number(actual.label === expected.label);
    rightF32 += Number(expected.label === label);
    rightInt8 += Number(actual.label === label);
  }
  const count = images.length;
  const percent = (n: number) => `${(100 * n / count).toFixed(2)} %`;
  const mean = similarities.reduce((sum, v) => sum + v) / count;
  console.log(`int8 against f32, ${count} images:
  cosine of the embeddings: mean ${mean.toFixed(6)}, lowest ${
    similarities.reduce((a, b) => Math.min(a, b)).toFixed(6)
  }
  same label ${percent(same)}
  right: f32 ${percent(rightF32)}, int8 ${percent(rightInt8)}`);
});

async function answer(model: ViTMSNModel, pixel_values: Tensor<"float32">) {
  const outputs = await model.forward({ pixel_values }, {
    outputs: ["last_hidden_state", "logits"],
  });
  const floats = (name: string) => outputs.get(name)!.data as Float32Array;
  const logits = floats("logits");
  const { hiddenSize, id2label } = model.config;
  return {
    embedding: floats("last_hidden_state").subarray(0, hiddenSize),
    label: id2label[logits.indexOf(logits.reduce((a, b) => Math.max(a, b)))],
  };
}
