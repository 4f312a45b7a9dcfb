// What each host does with the package, as a user would.

import {
  decodeImage,
  fitHead,
  ImageDecoder,
  loadClassifier,
  type RawImage,
  type SimdOptions,
  simdRuntime,
} from "@vit-msn/edge";

/** The images that are decoded and classified: one of each format. */
export const FORMATS = ["ship.jpg", "scene.png", "scene.webp", "scene.gif"] as const;

/** The photos on which a classifier is fitted. */
const PHOTOS = {
  animal: ["bird.jpg", "deer.jpg", "dog.jpg"],
  vehicle: ["airplane.jpg", "automobile.jpg", "truck.jpg"],
} as const;

/** A photo of neither, for the fitted classifier. */
const NEW_PHOTO = "horse.jpg";

/** All files that the job reads, beside the model. */
export const FILES: readonly string[] = [...FORMATS, ...Object.values(PHOTOS).flat(), NEW_PHOTO];

/** What a host offers. */
export interface Host {
  /** Reads one of {@linkcode FILES}. */
  readonly read: (name: string) => Promise<Uint8Array>;
  readonly model: Uint8Array;
  /** Whether the host has workers. */
  readonly workers: boolean;
}

/** The score of each label. */
export type Scores = Readonly<Record<string, number>>;

/** What a host computed with a build of the kernels. */
export interface Answers {
  /** Of each format. */
  readonly scores: Readonly<Record<string, Scores>>;
  readonly embedding: readonly number[];
  /** Of the fitted classifier. */
  readonly fitted: Scores;
  /** Of the first format, by a decoder with workers and a model on two threads. */
  readonly parallel?: Scores;
}

/** Decodes, classifies, embeds and fits, with the kernels that the host gets, and with the plain ones. */
export async function run(host: Host): Promise<Record<"usual" | "plain", Answers>> {
  return { usual: await runWith(host, {}), plain: await runWith(host, { build: "plain" }) };
}

async function runWith(
  { read, model: bytes, workers }: Host,
  options: SimdOptions,
): Promise<Answers> {
  const model = await loadClassifier(bytes, { runtime: simdRuntime(options) });
  const decode = async (name: string): Promise<RawImage> => await decodeImage(await read(name));

  const scores: Record<string, Scores> = {};
  for (const name of FORMATS) {
    const [labels] = await model.classify([await decode(name)], { topK: 10 });
    scores[name] = byLabel(labels!);
  }

  const embedding = await model.embed([await decode(FORMATS[0])], { normalize: true });

  const images: RawImage[] = [];
  const labels: string[] = [];
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
    fitted: byLabel(fitted!),
    ...(workers
      ? { parallel: await classifyInWorkers(bytes, await read(FORMATS[0]), options) }
      : {}),
  };
}

async function classifyInWorkers(
  bytes: Uint8Array,
  photo: Uint8Array,
  options: SimdOptions,
): Promise<Scores> {
  const decoder = new ImageDecoder({ workers: 1 });
  const model = await loadClassifier(bytes, { runtime: simdRuntime({ ...options, threads: 2 }) });
  try {
    const [labels] = await model.classify([await decoder.decode(photo)], { topK: 10 });
    return byLabel(labels!);
  } finally {
    decoder[Symbol.dispose]();
    await model[Symbol.asyncDispose]();
  }
}

function byLabel(labels: readonly { label: string; score: number }[]): Scores {
  return Object.fromEntries(labels.map(({ label, score }) => [label, score]));
}
