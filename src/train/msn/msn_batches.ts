import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { branchScales } from "../drop_path.ts";
import { randomStream, shuffled, Stream } from "../random_stream.ts";
import type { MsnBatch } from "./engine/msn_batch.ts";
import type { MsnSettings } from "./msn_settings.ts";
import { MsnViews, type MsnViewsOf } from "./msn_views.ts";
import type { PretrainDataset } from "./pretrain_events.ts";

/** A batch that is ready to be trained on, and what could not be read. */
export interface PreparedMsnBatch {
  readonly batch: MsnBatch;
  readonly problems: readonly string[];
}

/** The patches of a random view, and how many of them go on in an anchor. */
export function anchorPatches(
  { rand_size, patch_drop }: Pick<MsnSettings["data"], "rand_size" | "patch_drop">,
  { patchSize: [height, width] }: Pick<ViTMSNConfig, "patchSize">,
): { readonly count: number; readonly kept: number } {
  const count = Math.floor(rand_size / height) * Math.floor(rand_size / width);
  return { count, kept: Math.max(1, Math.floor(count * (1 - patch_drop))) };
}

/** Makes the batches of a pre-training: the same for the same seed and step, whatever was made before. */
export class MsnBatches {
  /** Steps of an epoch: an incomplete batch at its end is left out. */
  readonly stepsPerEpoch: number;
  /** The patches of a random anchor that go on. */
  readonly keptPatches: number;
  readonly #dataset: PretrainDataset;
  readonly #settings: MsnSettings;
  readonly #config: ViTMSNConfig;
  readonly #views: MsnViews;
  readonly #seed: number;
  readonly #patchCount: number;
  #order: { readonly epoch: number; readonly images: readonly number[] } | undefined;

  constructor(
    dataset: PretrainDataset,
    settings: MsnSettings,
    config: ViTMSNConfig,
    processor: ViTImageProcessor,
    seed: number,
  ) {
    const { count, kept } = anchorPatches(settings.data, config);
    this.#patchCount = count;
    this.keptPatches = kept;
    this.stepsPerEpoch = Math.floor(dataset.labels.length / settings.criterion.batch_size);
    this.#dataset = dataset;
    this.#settings = settings;
    this.#config = config;
    this.#seed = seed;
    this.#views = new MsnViews({ ...settings.data, seed }, processor);
  }

  /**
   * Reads the images of a step and makes their views. Another image of the batch takes the place of one that
   * cannot be read.
   *
   * @param step from 1 on, over all epochs.
   * @throws {Error} if no image of the batch can be read.
   */
  async prepare(step: number): Promise<PreparedMsnBatch> {
    const { criterion: { batch_size: B }, data: { rand_views, focal_views } } = this.#settings;
    const epoch = 1 + Math.floor((step - 1) / this.stepsPerEpoch);
    const first = (step - 1) % this.stepsPerEpoch * B;
    const indices = this.#orderOf(epoch).slice(first, first + B);
    const problems: string[] = [];
    const read = await Promise.all(indices.map(async (index) => {
      try {
        const image = await this.#dataset.image(index);
        return this.#views.pixelsOf(image, index, epoch);
      } catch (error) {
        problems.push((error as Error).message);
        return undefined;
      }
    }));
    const found = read.filter((views) => views !== undefined);
    if (found.length === 0) throw new Error(`Cannot pre-train: ${problems[0]}`);
    const views = read.map((own, b) => own ?? found[b % found.length]!);
    const batch: MsnBatch = {
      target: stacked(views, ({ target }) => [target]),
      random: stacked(views, ({ random }) => random),
      focal: stacked(views, ({ focal }) => focal),
      ...this.#patches(rand_views, focal_views, step),
      ...this.#branches(rand_views * B, focal_views * B, step),
    };
    return { batch, problems };
  }

  #orderOf(epoch: number): readonly number[] {
    if (this.#order?.epoch !== epoch) {
      const random = randomStream(this.#seed, Stream.ORDER, epoch);
      this.#order = { epoch, images: shuffled(this.#dataset.labels.length, random) };
    }
    return this.#order.images;
  }

  /** One choice for the whole batch. Focal views of the random views' size go with them. */
  #patches(randomViews: number, focalViews: number, step: number): Pick<MsnBatch, "keptPatches"> {
    if (this.keptPatches === this.#patchCount) return {};
    const { data: { rand_size, focal_size }, criterion: { batch_size } } = this.#settings;
    const kept = this.#views.keptPatches(this.#patchCount, this.keptPatches, step);
    const views = randomViews + (focal_size === rand_size ? focalViews : 0);
    const all = new Int32Array(views * batch_size * kept.length);
    for (let i = 0; i < all.length; i += kept.length) all.set(kept, i);
    return { keptPatches: all };
  }

  #branches(random: number, focal: number, step: number): Pick<MsnBatch, "branchScale"> {
    const { drop_path_rate: rate } = this.#settings.meta;
    if (rate === 0) return {};
    const stream = randomStream(this.#seed, Stream.BRANCHES, step);
    const { numHiddenLayers: L } = this.#config;
    return {
      branchScale: {
        random: branchScales(rate, L, random, stream),
        focal: branchScales(rate, L, focal, stream),
      },
    };
  }
}

/** Views one after the other, each with all images: [views · B, C, H, W]. */
function stacked(
  images: readonly MsnViewsOf<Float32Array>[],
  viewsOf: (image: MsnViewsOf<Float32Array>) => readonly Float32Array[],
): Float32Array {
  const all = images.map(viewsOf);
  const views = all[0]!.length;
  const size = all[0]![0]?.length ?? 0;
  const data = new Float32Array(views * images.length * size);
  for (let view = 0; view < views; view++) {
    all.forEach((own, b) => data.set(own[view]!, (view * images.length + b) * size));
  }
  return data;
}
