// From the bytes of a JPEG to an embedding, on one core: this project with the exact decoder, onnxruntime-node
// with sharp, and transformers.js. The model has random weights and vit-msn-small's shape. The packages are
// for this comparison alone and in no lock file: deno task bench:peers

import { loadModel } from "../../src/mod.ts";
import { medianTimes, type Task } from "./support/measure.ts";
import { documentsOf, randomModel } from "./support/models.ts";
import { photoOf } from "./support/photo.ts";
import { onnxruntimeNode } from "./support/peer_onnxruntime_node.ts";
import { transformersJs } from "./support/peer_transformers.ts";

/** Makes the CLS token's embedding of a JPEG. */
export type Embed = (photo: Uint8Array) => Promise<Float32Array>;

const ROUNDS = 20;
const SIZE = { width: 500, height: 335 };

const photo = await photoOf(SIZE.width, SIZE.height);
const model = randomModel("small");
const files = { f32: model.fileOf("f32"), int8: model.fileOf("int8") };

const embeds = new Map<string, Embed>();
for (const dtype of ["f32", "int8"] as const) {
  const own = await loadModel(files[dtype]);
  embeds.set(
    `this project ${dtype}`,
    async (photo) => (await own.embed(photo, { decode: "exact" })).data,
  );
}
for (const dtype of ["f32", "int8"] as const) {
  await add(`onnxruntime-node ${dtype} and sharp`, () => onnxruntimeNode(files[dtype]));
}
for (const dtype of ["f32", "int8"] as const) {
  await add(`transformers.js ${dtype}`, () => transformersJs(files[dtype], documentsOf("small")));
}

const embeddings = new Map<string, Float32Array>();
for (const [name, embed] of embeds) embeddings.set(name, await embed(photo));
const tasks = [...embeds].map(([name, embed]) => [name, () => embed(photo)] as [string, Task]);
const times = await medianTimes(Object.fromEntries(tasks), ROUNDS);

const fastest = times["this project int8"]!;
const exact = embeddings.get("this project f32")!;
console.log(
  `\nA JPEG of ${SIZE.width} × ${SIZE.height} to its embedding, vit-msn-small's shape, one thread; ` +
    `medians of ${ROUNDS} in ms. Cosine: of the embedding to that of this project in f32.\n`,
);
console.log(
  "| engine | ms | images/s | ratio to this project int8 | cosine |\n" +
    "| --- | ---: | ---: | ---: | ---: |",
);
for (const [name, time] of Object.entries(times)) {
  const numbers = [
    time.toFixed(1),
    (1000 / time).toFixed(1),
    (time / fastest).toFixed(2),
    cosine(embeddings.get(name)!, exact).toFixed(5),
  ];
  console.log(`| ${[name, ...numbers].join(" | ")} |`);
}
Deno.exit(); // native threads of the packages may still wait

/** Adds a peer, or says why it is not there. */
async function add(name: string, create: () => Promise<Embed>): Promise<void> {
  try {
    const embed = await create();
    await embed(photo);
    embeds.set(name, embed);
  } catch (error) {
    console.log(`${name} is left out: ${error}`);
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
