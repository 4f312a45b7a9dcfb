import { countsOf } from "../../heads/fit/samples.ts";
import { toFloat16, toFloat32 } from "../../tensor/float16.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid } from "../../vit_msn/config.ts";
import { mixBatch } from "../augmentation/mixing.ts";
import { branchScales } from "../drop_path.ts";
import type { TrainingEngine } from "../engine/engine.ts";
import type { Batch, Objective } from "../engine/batch.ts";
import type { Job } from "./finetune_job.ts";
import type { FinetuneSettings } from "./finetune_options.ts";
import { FORWARD_BATCH } from "./evaluation/outputs.ts";
import { randomStream, shuffled, Stream } from "../random_stream.ts";
import { labelTargets, smoothedRows, softTargets } from "./targets.ts";
import { Views } from "./views.ts";

/** A batch whose images are read and augmented. */
export interface PreparedBatch {
  /** The images' numbers. */
  readonly indices: readonly number[];
  readonly epoch: number;
  readonly batch: Batch;
  readonly objective: Objective;
  /** What could not be read, in sentences. */
  readonly problems: readonly string[];
}

/** What the cache of views may take; the views that it has no place for are computed anew each time. */
const MAX_CACHE_BYTES = 2 ** 31;

/** Makes batches of the images of a training. */
export class Batches {
  readonly #job: Job;
  readonly #settings: FinetuneSettings;
  readonly #engine: TrainingEngine;
  readonly #kept: number;
  readonly #views: Views;
  readonly #classWeights: readonly number[] | undefined;
  /** The outputs of the frozen blocks, in half precision, by view and image. */
  readonly #cache = new Map<string, Tensor<"float16">>();
  #cacheBytes = 0;

  constructor(job: Job, settings: FinetuneSettings, engine: TrainingEngine, kept: number) {
    this.#job = job;
    this.#settings = settings;
    this.#engine = engine;
    this.#kept = kept;
    const { dataset: { classes, training: { labels } } } = job;
    this.#classWeights = settings.classWeight === "balanced"
      ? countsOf(labels, classes.length).map((count) =>
        count === 0 ? 0 : labels.length / (classes.length * count)
      )
      : undefined;
    this.#views = new Views(job.dataset.training, settings, job.config, job.processor);
  }

  /** Reads and augments images. */
  async prepare(
    indices: readonly number[],
    epoch: number,
    step: number,
  ): Promise<PreparedBatch> {
    const { mixup, cutmix, labelSmoothing, seed, cachedViews } = this.#settings;
    const { labels } = this.#job.dataset.training;
    const K = this.#job.dataset.classes.length;
    const view = cachedViews > 0 ? (epoch - 1) % cachedViews : epoch;
    const problems: string[] = [];
    const read = await Promise.all(indices.map(async (index) => {
      if (this.#cache.has(`${view}-${index}`)) return { index, pixels: undefined };
      try {
        return { index, pixels: await this.#views.pixelsOf(index, view) };
      } catch (error) {
        problems.push((error as Error).message);
        return undefined;
      }
    }));
    const found = read.filter((image) => image !== undefined);
    const classesOf = found.map(({ index }) => labels[index]!);
    const images = found.length;
    const { numChannels: C, imageSize: [H, W] } = this.#job.config;
    const pixelValues = new Float32Array(images * C * H * W);
    found.forEach(({ pixels }, b) => pixels && pixelValues.set(pixels, b * C * H * W));
    let targets: Float32Array;
    if (mixup > 0 || cutmix > 0) {
      const rows = smoothedRows(classesOf, K, labelSmoothing);
      mixBatch(
        { dtype: "float32", shape: [images, C, H, W], data: pixelValues },
        { dtype: "float32", shape: [images, K], data: rows },
        { mixup, cutmix },
        randomStream(seed, Stream.MIXING, step),
      );
      targets = softTargets(rows, K, this.#classWeights);
    } else {
      targets = labelTargets(classesOf, K, { labelSmoothing, classWeights: this.#classWeights });
    }
    return {
      indices: found.map(({ index }) => index),
      epoch: view,
      batch: {
        images,
        pixelValues,
        ...this.#patches(images, step),
        ...this.#branches(images, step),
      },
      objective: { loss: "cross_entropy", targets },
      problems,
    };
  }

  /** The batch as the engine takes it: with cached views, from the outputs of the frozen blocks. */
  async finish({ indices, epoch: view, batch }: PreparedBatch): Promise<Batch> {
    if (this.#settings.cachedViews === 0) return batch;
    const { images, pixelValues } = batch;
    const key = (b: number) => `${view}-${indices[b]}`;
    const missing = indices.map((_, b) => b).filter((b) => !this.#cache.has(key(b)));
    const size = this.#engine.tokens * this.#job.config.hiddenSize;
    const pixels = pixelValues!.length / images;
    const all = new Float32Array(images * size);
    indices.forEach((_, b) => {
      const output = this.#cache.get(key(b));
      if (output) all.set(toFloat32(output).data, b * size);
    });
    for (let i = 0; i < missing.length; i += FORWARD_BATCH) {
      const part = missing.slice(i, i + FORWARD_BATCH);
      const data = new Float32Array(part.length * pixels);
      part.forEach((b, p) =>
        data.set(pixelValues!.subarray(b * pixels, (b + 1) * pixels), p * pixels)
      );
      const inputs = await this.#engine.inputsOf({ images: part.length, pixelValues: data });
      part.forEach((b, p) => {
        // What is not kept is rounded, too, so that the result does not depend on the cache.
        const data = inputs.subarray(p * size, (p + 1) * size);
        const output = toFloat16({ dtype: "float32", shape: [size], data });
        all.set(toFloat32(output).data, b * size);
        const { byteLength } = output.data;
        if (this.#cacheBytes + byteLength > MAX_CACHE_BYTES) return;
        this.#cache.set(key(b), output);
        this.#cacheBytes += byteLength;
      });
    }
    const { pixelValues: _, ...others } = batch;
    return { ...others, inputs: all };
  }

  #patches(images: number, step: number): Pick<Batch, "keptPatches"> {
    const [rows, columns] = patchGrid(this.#job.config);
    const N = rows * columns;
    if (this.#kept === N) return {};
    const random = randomStream(this.#settings.seed, Stream.PATCHES, step);
    const kept = new Int32Array(images * this.#kept);
    for (let b = 0; b < images; b++) {
      kept.set(shuffled(N, random).slice(0, this.#kept), b * this.#kept);
    }
    return { keptPatches: kept };
  }

  #branches(images: number, step: number): Pick<Batch, "branchScale"> {
    const { dropPath, seed } = this.#settings;
    if (dropPath === 0) return {};
    const { numHiddenLayers } = this.#job.config;
    const random = randomStream(seed, Stream.BRANCHES, step);
    return { branchScale: branchScales(dropPath, numHiddenLayers, images, random) };
  }
}
