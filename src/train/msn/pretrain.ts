import { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import type { ModelFile } from "../../vit_msn/model_file.ts";
import { backboneOf } from "../backbone.ts";
import { decideMsnSettings, type MsnConfig, type MsnSettings } from "./msn_settings.ts";
import type { PretrainDataset, PretrainEvent, PretrainRun } from "./pretrain_events.ts";
import { checkPretrainOptions, type PretrainOptions } from "./pretrain_options.ts";
import { MsnTrainer } from "./msn_trainer.ts";
import { type MsnNetworks, newEncoder, newHead, newPrototypes } from "./start_networks.ts";

/** The model that is pre-trained: a {@linkcode ModelFile} is one. `own` has its weights, if they are needed. */
export type PretrainModel =
  & Pick<ModelFile, "config" | "preprocessorConfig">
  & Partial<Pick<ModelFile, "own">>;

/**
 * Pre-trains a backbone by Masked Siamese Networks (Assran et al., 2022), on images without labels: an encoder
 * learns to assign random and focal views of an image, of which patches are dropped, to the same prototypes as the
 * target encoder, its moving average, assigns another view. The result is the target encoder.
 *
 * The same images, options, seed and number of threads give the same bits, interrupted or not.
 *
 * @param backbone where training starts, unless `isFromScratch` or `start` is given; then it must be a file of this
 * project.
 * @returns an iterator of events: messages; steps; records, with the figures so far and the state to go on from;
 * at the end the result or, if the signal was aborted, `interrupted`.
 * @throws {TypeError} if the model's file is another tool's, or the state to resume belongs to another training.
 * @throws {RangeError} if an option or a knob is out of its range, knobs do not fit one another, or the memory
 * does not suffice.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readModelFile } from "../../mod.ts";
 * import { pretrain } from "./pretrain.ts";
 *
 * const model = readModelFile(await Deno.readFile("functions/_shared/model.onnx"));
 * const images = Array.from({ length: 8 }, (_, i) => ({
 *   width: 32,
 *   height: 32,
 *   data: Uint8Array.from({ length: 3072 }, (_, j) => (j * (i + 1)) % 256),
 * }));
 * const dataset = { labels: images.map(() => undefined), image: (i: number) => images[i]! };
 * const config = { criterion: { batch_size: 4, num_proto: 8 }, optimization: { epochs: 1 } };
 * const kinds = new Set<string>();
 * for await (const event of pretrain(model, dataset, { config })) kinds.add(event.kind);
 * assertEquals([...kinds], ["record", "step", "result"]);
 * ```
 */
export async function* pretrain(
  backbone: PretrainModel,
  dataset: PretrainDataset,
  options: PretrainOptions = {},
  run: PretrainRun = {},
): AsyncGenerator<PretrainEvent> {
  checkPretrainOptions(options);
  checkDataset(dataset);
  const { config } = backbone;
  const settings = pretrainSettings(backbone, dataset.labels.length, options);
  const training = await MsnTrainer.start({
    config,
    processor: new ViTImageProcessor(backbone.preprocessorConfig),
    dataset,
    settings,
    networks: networksOf(backbone, settings, options),
    options,
    run,
    now: run.now ?? (() => performance.now()),
  });
  try {
    yield* training.run();
  } finally {
    training[Symbol.dispose]();
  }
}

/**
 * Decides the settings that {@linkcode pretrain} would train with.
 *
 * @param images their number.
 * @throws {RangeError} if knobs do not fit one another, the model or the number of images.
 */
export function pretrainSettings(
  { config }: PretrainModel,
  images: number,
  options: PretrainOptions = {},
): MsnSettings {
  return decideMsnSettings(knobsOf(options), {
    images,
    imageSize: Math.min(...config.imageSize),
    patchSize: squarePatch(config),
    hiddenSize: config.hiddenSize,
    isFromScratch: options.isFromScratch ?? false,
  });
}

/** The knobs that are given; a head to go on from says how wide it is. */
function knobsOf({ config = {}, isFromScratch, start }: PretrainOptions): MsnConfig {
  if (isFromScratch || !start?.head || !start.prototypes) return config;
  const [num_proto, output_dim] = start.prototypes.shape as [number, number];
  const own = {
    num_proto,
    output_dim,
    hidden_dim: start.head.get("fc1.weight")!.shape[0]!,
    use_bn: start.head.has("bn1.weight"),
  };
  const given = { ...config.criterion, ...config.meta };
  for (const name of ["num_proto", "output_dim", "hidden_dim", "use_bn"] as const) {
    if (given[name] === undefined || given[name] === own[name]) continue;
    throw new RangeError(
      `Cannot go on: ${name} is ${given[name]}, but ${own[name]} in what it goes on from`,
    );
  }
  const { num_proto: _, ...meta } = own;
  return {
    ...config,
    criterion: { ...config.criterion, num_proto },
    meta: { ...config.meta, ...meta },
  };
}

function networksOf(
  backbone: PretrainModel,
  { criterion, meta }: MsnSettings,
  { seed = 0, isFromScratch, start }: PretrainOptions,
): MsnNetworks {
  const { config, own } = backbone;
  const shape = {
    input: config.hiddenSize,
    hidden: meta.hidden_dim,
    output: meta.output_dim,
    usesBatchNorm: meta.use_bn,
  };
  const prototypes = newPrototypes(criterion.num_proto, meta.output_dim, seed);
  const head = newHead(shape, seed);
  if (isFromScratch) {
    const network = { encoder: newEncoder(config, seed), head };
    return { network, target: network, prototypes };
  }
  if (start) {
    return {
      network: { encoder: start.encoder, head: start.head ?? head },
      target: { encoder: start.targetEncoder, head: start.targetHead ?? head },
      prototypes: start.prototypes ?? prototypes,
    };
  }
  if (!own) throw new TypeError("Cannot pre-train: the model has no weights");
  const network = { encoder: backboneOf({ own }), head };
  return { network, target: network, prototypes };
}

function squarePatch({ patchSize: [height, width], imageSize }: ViTMSNConfig): number {
  if (height === width && imageSize[0] === imageSize[1]) return height;
  throw new RangeError(
    `Cannot pre-train: images of ${imageSize.join(" × ")} in patches of ${height} × ${width} ` +
      "are not square, as MSN's views are",
  );
}

function checkDataset({ labels, classes = [] }: PretrainDataset): void {
  if (labels.length < 2) {
    throw new RangeError(`Cannot pre-train on ${labels.length} images: give two or more`);
  }
  const wrong = labels.find((label) => label !== undefined && classes[label] === undefined);
  if (wrong === undefined) return;
  throw new RangeError(`Cannot pre-train: label ${wrong} is none of the ${classes.length} classes`);
}
