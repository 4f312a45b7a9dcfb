import type { RawImage } from "../../image/raw_image.ts";
import type { Resampling } from "../../image/transform/resampling.ts";
import { RESAMPLING, ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { augment } from "../augmentation/augment.ts";
import { randomErasing } from "../augmentation/random_erasing.ts";
import type { FinetuneSettings } from "./finetune_options.ts";
import { randomStream, Stream } from "../random_stream.ts";
import type { TrainingSet } from "../training_set.ts";

/** Makes the pixels that a model is trained on: [C, H, W] of a random view of each image. */
export class Views {
  readonly #set: TrainingSet;
  readonly #settings: FinetuneSettings;
  readonly #config: ViTMSNConfig;
  readonly #processor: ViTImageProcessor;
  readonly #resample: Resampling;

  constructor(
    set: TrainingSet,
    settings: FinetuneSettings,
    config: ViTMSNConfig,
    processor: ViTImageProcessor,
  ) {
    this.#set = set;
    this.#settings = settings;
    this.#config = config;
    // A view has the model's size already.
    this.#processor = new ViTImageProcessor({
      ...processor.config,
      doResize: false,
      doCenterCrop: false,
    });
    this.#resample = RESAMPLING[processor.config.resample];
  }

  /**
   * The view of an image in an epoch.
   *
   * @throws {Error} if the image cannot be read.
   */
  async pixelsOf(index: number, epoch: number): Promise<Float32Array> {
    const { seed, cropScale, mirror, randAugment, randomErasing: erasing } = this.#settings;
    const image: RawImage = await this.#set.image(index);
    const random = randomStream(seed, Stream.AUGMENTATION, epoch, index);
    const view = augment(image, {
      size: this.#config.imageSize,
      resample: this.#resample,
      cropScale: [cropScale, 1],
      mirror: mirror ? 0.5 : 0,
      colorJitter: { contrast: 0.3 },
      ...(randAugment ? { randAugment: {} } : {}),
    }, random);
    const { data, shape } = this.#processor.preprocess([view]);
    const [, C, H, W] = shape as [number, number, number, number];
    if (erasing > 0) randomErasing(data, [C, H, W], { probability: erasing }, random);
    return data;
  }
}
