// test/hosts/programs/process.ts
import { readFile } from "node:fs/promises";
import process from "node:process";
import { EMBEDDED_MODEL } from "@vit-msn/edge/model";

// test/hosts/programs/job.ts
import {
  decodeImage,
  fitHead,
  ImageDecoder,
  loadClassifier,
  simdRuntime
} from "@vit-msn/edge";
var FORMATS = ["ship.jpg", "scene.png", "scene.webp", "scene.gif"];
var PHOTOS = {
  animal: ["bird.jpg", "deer.jpg", "dog.jpg"],
  vehicle: ["airplane.jpg", "automobile.jpg", "truck.jpg"]
};
var NEW_PHOTO = "horse.jpg";
var FILES = [...FORMATS, ...Object.values(PHOTOS).flat(), NEW_PHOTO];
async function run(host) {
  return { usual: await runWith(host, {}), plain: await runWith(host, { build: "plain" }) };
}
async function runWith({ read, model: bytes, workers }, options) {
  const model = await loadClassifier(bytes, { runtime: simdRuntime(options) });
  const decode = async (name) => await decodeImage(await read(name));
  const scores = {};
  for (const name of FORMATS) {
    const [labels2] = await model.classify([await decode(name)], { topK: 10 });
    scores[name] = byLabel(labels2);
  }
  const embedding = await model.embed([await decode(FORMATS[0])], { normalize: true });
  const images = [];
  const labels = [];
  for (const [label, names] of Object.entries(PHOTOS)) {
    for (const name of names) {
      images.push(await decode(name));
      labels.push(label);
    }
  }
  const { head } = fitHead({ features: await model.features(images), labels });
  const [fitted] = head.predict(await model.features([await decode(NEW_PHOTO)]));
  await model[Symbol.asyncDispose]();
  return {
    scores,
    embedding: [...embedding.data],
    fitted: byLabel(fitted),
    ...workers ? { parallel: await classifyInWorkers(bytes, await read(FORMATS[0]), options) } : {}
  };
}
async function classifyInWorkers(bytes, photo, options) {
  const decoder = new ImageDecoder({ workers: 1 });
  const model = await loadClassifier(bytes, { runtime: simdRuntime({ ...options, threads: 2 }) });
  try {
    const [labels] = await model.classify([await decoder.decode(photo)], { topK: 10 });
    return byLabel(labels);
  } finally {
    decoder[Symbol.dispose]();
    await model[Symbol.asyncDispose]();
  }
}
function byLabel(labels) {
  return Object.fromEntries(labels.map(({ label, score }) => [label, score]));
}

// test/hosts/programs/process.ts
var folder = process.argv[2];
var answers = await run({
  read: (name) => readFile(`${folder}/${name}`),
  model: await readFile(EMBEDDED_MODEL),
  workers: true
});
console.log(JSON.stringify(answers));
