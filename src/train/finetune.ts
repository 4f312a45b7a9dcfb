import { evaluateLogits, type Evaluation } from "../heads/evaluate/evaluate.ts";
import { toFeature } from "../heads/feature.ts";
import { fitHead } from "../heads/fit/fit_head.ts";
import { countsOf } from "../heads/fit/samples.ts";
import type { Head } from "../heads/head.ts";
import { ViTImageProcessor } from "../preprocess/vit_image_processor.ts";
import { topK } from "../tensor/top_k.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "../vit_msn/config.ts";
import type { LayerNorm } from "../vit_msn/layer_norm.ts";
import { type ModelFile, verifiedWeights } from "../vit_msn/model_file.ts";
import { dequantize } from "../vit_msn/quantize.ts";
import { unsmooth } from "../vit_msn/smooth_quant.ts";
import type { Weights } from "../vit_msn/weights.ts";
import { mixBatch } from "./augmentation/mixing.ts";
import { headOfClassifier, type Outputs } from "./calibrate.ts";
import { chooseTune } from "./choose_tune.ts";
import { clipFactor } from "./clip.ts";
import { type Batch, type Objective, TrainingEngine } from "./engine/engine.ts";
import {
  checkFinetuneOptions,
  decideSettings,
  type FinetuneOptions,
  type FinetuneSettings,
} from "./finetune_options.ts";
import { parameterGroup } from "./parameter_groups.ts";
import { randomStream, shuffled } from "./random_stream.ts";
import { learningRateAt } from "./schedule.ts";
import { labelTargets, smoothedRows, softTargets } from "./targets.ts";
import type { TrainingRecord, Validation } from "./training_record.ts";
import type { TrainingSet } from "./training_set.ts";
import {
  readState,
  restoreState,
  type TrainingProgress,
  type TrainingState,
} from "./training_state.ts";
import type { Tune } from "./tune.ts";
import { Views } from "./views.ts";

/** The labelled images of a fine-tuning. */
export interface FinetuneDataset {
  /** The classes' names. */
  readonly classes: readonly string[];
  /** Images that training sees. */
  readonly training: TrainingSet;
  /** Images that training does not see: they choose among results and calibrate the classifier. */
  readonly validation?: TrainingSet | undefined;
}

/** What fine-tuning made. */
export interface FinetuneResult {
  /** The backbone's weights, float32. */
  readonly weights: Map<string, Tensor>;
  /** The classifier on the backbone's features. */
  readonly head: Head;
  /** What learnt; `head` if the backbone is the one that was given. */
  readonly tune: Tune | { readonly kind: "head" };
  /** How it was trained; absent if it was not. */
  readonly settings?: FinetuneSettings;
  /** The figures of the epochs. */
  readonly records: readonly TrainingRecord[];
  /** The epoch of the best weights, from 1. */
  readonly bestEpoch?: number;
  /** Accuracy on the held-out images, of the head on the frozen backbone and of the result. */
  readonly heldOut?: { readonly frozen: number; readonly result: number; readonly images: number };
  /** The evaluation of the result on the held-out images; absent with more than 1,000 classes. */
  readonly evaluation?: Evaluation;
  /** Why training ended early, if it did. */
  readonly stopped?: string;
}

/** What {@linkcode finetune} tells while it works. */
export type FinetuneEvent =
  | { readonly kind: "message"; readonly text: string }
  | {
    readonly kind: "step";
    readonly epoch: number;
    readonly epochs: number;
    /** Of `steps`, in the epoch. */
    readonly step: number;
    readonly steps: number;
    readonly loss: number;
    readonly imagesPerSecond: number;
    readonly accuracy?: number | undefined;
    readonly secondsLeft: number;
  }
  | { readonly kind: "epoch"; readonly record: TrainingRecord; state(): TrainingState }
  | { readonly kind: "interrupted"; readonly state: TrainingState }
  | { readonly kind: "result"; readonly result: FinetuneResult };

/** How a fine-tuning goes on or ends. */
export interface FinetuneRun {
  /** The state of an interrupted run of the same images and options. */
  readonly resume?: TrainingState | undefined;
  /** Interrupts training after the present step; the last event then has its state. */
  readonly signal?: AbortSignal | undefined;
  /** The present time in milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** What random streams are for. */
const [ORDER, MIX, KEEP, DROP] = [2, 3, 4, 5];
/** The time that training may take by default, in seconds, for `auto`. */
const DEFAULT_TIME = 1800;
/** The most images that the head on frozen features, and the classes' means, are fitted on. */
const MAX_FITTED = 10_000;
/** Images of a batch that is only computed forward. */
const FORWARD_BATCH = 32;
/** Batches that are prepared ahead. */
const BATCHES_AHEAD = 2;

/**
 * Fine-tunes a ViT-MSN on labelled images: ViTMSNForImageClassification with its own labels. First fits a head
 * on the frozen backbone's features; then trains, if that is worth it; and returns what names more held-out
 * images right. All random choices follow from the seed.
 *
 * @param model a file of this project, in any data type; a classifier in it is replaced.
 * @yields a step, an epoch and in the end the result, or the state of an interrupted run.
 * @throws {RangeError} if an option is out of range, there are fewer than two classes, or the memory does not
 * suffice.
 * @throws {TypeError} if another tool made the model, or a state to resume is of another training.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { readModelFile } from "../vit_msn/model_file.ts";
 * import { finetune } from "./finetune.ts";
 *
 * const model = readModelFile(await Deno.readFile("functions/_shared/model.onnx"));
 * const grey = (level: number) => ({ width: 32, height: 32, data: new Uint8Array(3072).fill(level) });
 * const images = [20, 30, 40, 50, 200, 210, 220, 230].map(grey);
 * const training = { labels: [0, 0, 0, 0, 1, 1, 1, 1], image: (i: number) => images[i]! };
 * const options = { tune: { kind: "last", blocks: 1 }, epochs: 1 } as const;
 * for await (const event of finetune(model, { classes: ["dark", "light"], training }, options)) {
 *   if (event.kind === "result") assert(event.result.head.labels.includes("dark"));
 * }
 * ```
 */
export async function* finetune(
  model: ModelFile,
  dataset: FinetuneDataset,
  options: FinetuneOptions = {},
  run: FinetuneRun = {},
): AsyncGenerator<FinetuneEvent> {
  checkFinetuneOptions(options);
  checkDataset(dataset);
  const backbone = backboneOf(model);
  const { config } = model;
  const job: Job = {
    config: { ...config, id2label: dataset.classes },
    processor: new ViTImageProcessor(model.preprocessorConfig),
    dataset,
    options,
    run,
    now: run.now ?? (() => performance.now()),
  };
  const frozen = await fitFrozen(job, backbone);
  if (frozen.heldOut) {
    const share = percent(frozen.heldOut.accuracy);
    yield { kind: "message", text: `The frozen backbone with a head names ${share} right.` };
  }
  let tune = options.tune ?? { kind: "auto" };
  if (tune.kind === "auto") {
    const images = dataset.training.labels.length;
    const { epochs } = decideSettings(options, { kind: "all" }, images, config.hiddenSize);
    const choice = chooseTune({
      config,
      images,
      classes: dataset.classes.length,
      imagesSeen: epochs * images,
      forwardRate: frozen.rate,
      timeLimit: options.timeLimit ?? DEFAULT_TIME,
    });
    tune = dataset.validation ? choice.tune : { kind: "head" };
    const reason = dataset.validation ? choice.reason : "there are no held-out images to judge by";
    yield { kind: "message", text: `Chose ${tuneText(tune)}: ${reason}.` };
  }
  if (tune.kind === "head") {
    yield { kind: "result", result: frozenResult(frozen, backbone, []) };
    return;
  }
  yield* train(job, backbone, frozen, tune);
}

/** How a tune is written as an option: `last:2`. */
export function tuneText(tune: Tune | { readonly kind: "head" | "auto" }): string {
  if (tune.kind === "last") return `last:${tune.blocks}`;
  return tune.kind === "lora" ? `lora:${tune.rank}` : tune.kind;
}

interface Job {
  readonly config: ViTMSNConfig;
  readonly processor: ViTImageProcessor;
  readonly dataset: FinetuneDataset;
  readonly options: FinetuneOptions;
  readonly run: FinetuneRun;
  readonly now: () => number;
}

/** A head on the frozen backbone. */
interface Frozen {
  readonly head: Head;
  readonly heldOut?: Judgement;
  /** Images a second of the forward. */
  readonly rate: number;
}

/** How good a head is on the held-out images. */
interface Judgement {
  readonly accuracy: number;
  readonly images: number;
  readonly evaluation?: Evaluation;
}

/** With more classes, the table of confusions would take gigabytes. */
const MAX_EVALUATED_CLASSES = 1000;

/** @param logits of a head, in the order of the classes, divided by its temperature. */
function judge(
  logits: readonly Float32Array[],
  truths: readonly number[],
  { parameters: { settings } }: Head,
  classes: readonly string[],
): Judgement {
  const right = logits.filter((row, i) => topK(row, 1)[0] === truths[i]).length;
  const judgement = { accuracy: right / logits.length, images: logits.length };
  if (classes.length > MAX_EVALUATED_CLASSES) return judgement;
  const labels = truths.map((label) => classes[label]!);
  return {
    ...judgement,
    evaluation: evaluateLogits(logits, labels, classes, settings.temperature),
  };
}

function checkDataset({ classes, training, validation }: FinetuneDataset): void {
  if (classes.length < 2) {
    throw new RangeError(
      `Cannot train a classifier of ${classes.length} class: it takes two or more`,
    );
  }
  if (training.labels.length === 0) throw new RangeError("Cannot train: there are no images");
  for (const { labels } of validation ? [training, validation] : [training]) {
    const wrong = labels.find((label) =>
      !Number.isInteger(label) || !(classes[label] !== undefined)
    );
    if (wrong !== undefined) {
      throw new RangeError(`Cannot train: label ${wrong} is none of the ${classes.length} classes`);
    }
  }
}

function backboneOf(model: ModelFile): Map<string, Tensor<"float32">> {
  const stored = verifiedWeights(model);
  const isInt8 = [...stored.values()].some(({ dtype }) => dtype === "int8");
  const weights = isInt8 ? unsmooth(dequantize(stored)) : dequantize(stored);
  return new Map(
    [...weights].filter(([name]) => !name.startsWith("classifier.")),
  ) as Map<string, Tensor<"float32">>;
}

function layerNormOf(weights: ReadonlyMap<string, Tensor>): LayerNorm {
  return {
    weight: weights.get("layernorm.weight")!.data as Float32Array,
    bias: weights.get("layernorm.bias")!.data as Float32Array,
  };
}

async function fitFrozen(job: Job, backbone: Weights): Promise<Frozen> {
  const { config, dataset: { classes, training, validation }, options } = job;
  using engine = await TrainingEngine.start(config, backbone, {
    tune: { kind: "last", blocks: 0 },
    batchSize: FORWARD_BATCH,
    ...threadOptions(options),
  });
  const layerNorm = layerNormOf(backbone);
  const started = job.now();
  const subset = shuffled(training.labels.length, randomStream(options.seed ?? 0, ORDER))
    .slice(0, MAX_FITTED).sort((a, b) => a - b);
  const featuresOf = async (set: TrainingSet, indices: readonly number[]) => {
    const { cls, classes: found } = await outputsOf(engine, job, set, indices);
    const features = cls.map((vector) => toFeature(vector, layerNorm));
    return { features, labels: found.map((label) => classes[label]!) };
  };
  const support = await featuresOf(training, subset);
  const rate = subset.length / Math.max(1e-3, (job.now() - started) / 1000);
  const { falseRejectionRate = 0.05, seed = 0, classWeight = "none" } = options;
  const { head } = fitHead(support, { falseRejectionRate, seed, classWeight });
  if (!validation) return { head, rate };
  const query = await featuresOf(validation, allOf(validation));
  const logits = alignedTo(classes, head, query.features);
  const truths = query.labels.map((label) => classes.indexOf(label));
  return { head, rate, heldOut: judge(logits, truths, head, classes) };
}

/** Logits in the order of the classes; a class that the head does not know has the least. */
function alignedTo(
  classes: readonly string[],
  head: Head,
  features: readonly Float32Array[],
): Float32Array[] {
  const places = classes.map((name) => head.labels.indexOf(name));
  return head.logits(features).map((row) =>
    Float32Array.from(places, (place) => place === -1 ? -1e4 : row[place]!)
  );
}

function heldOutOf(
  frozen: Judgement,
  { accuracy, images, evaluation }: Judgement,
): Pick<FinetuneResult, "heldOut" | "evaluation"> {
  return {
    heldOut: { frozen: frozen.accuracy, result: accuracy, images },
    ...(evaluation ? { evaluation } : {}),
  };
}

function frozenResult(
  { head, heldOut }: Frozen,
  weights: Map<string, Tensor>,
  records: readonly TrainingRecord[],
  more: Partial<FinetuneResult> = {},
): FinetuneResult {
  return {
    weights,
    head,
    tune: { kind: "head" },
    records,
    ...(heldOut ? heldOutOf(heldOut, heldOut) : {}),
    ...more,
  };
}

/** Threads of an engine: all are workers, so that images are prepared while they compute. */
function threadOptions({ threads = 1, build, createWorker }: FinetuneOptions) {
  return {
    threads,
    offThread: threads > 1,
    ...(build ? { build } : {}),
    ...(createWorker ? { createWorker } : {}),
  };
}

function allOf({ labels }: TrainingSet): number[] {
  return labels.map((_, i) => i);
}

/** The outputs of images as they are, not augmented; those that cannot be read are left out. */
async function outputsOf(
  engine: TrainingEngine,
  { processor }: Job,
  set: TrainingSet,
  indices: readonly number[],
): Promise<Outputs> {
  const outputs = {
    cls: [] as Float32Array[],
    logits: [] as Float32Array[],
    classes: [] as number[],
  };
  const { hiddenSize: D } = engine.config;
  for (let i = 0; i < indices.length; i += FORWARD_BATCH) {
    const images = await Promise.all(
      indices.slice(i, i + FORWARD_BATCH).map(async (index) => {
        try {
          return { image: await set.image(index), label: set.labels[index]! };
        } catch {
          return undefined;
        }
      }),
    );
    const read = images.filter((image) => image !== undefined);
    if (read.length === 0) continue;
    const pixelValues = processor.preprocess(read.map(({ image }) => image)).data;
    const { logits, cls } = await engine.forward({ images: read.length, pixelValues });
    const K = logits.length / read.length;
    read.forEach(({ label }, b) => {
      outputs.cls.push(cls.slice(b * D, (b + 1) * D));
      outputs.logits.push(logits.slice(b * K, (b + 1) * K));
      outputs.classes.push(label);
    });
  }
  return outputs;
}

/** Trains, and yields the better of the result and the frozen head. */
async function* train(
  job: Job,
  backbone: Map<string, Tensor<"float32">>,
  frozen: Frozen,
  tune: Tune,
): AsyncGenerator<FinetuneEvent> {
  const { config, dataset, options, run, now } = job;
  const { training, validation, classes } = dataset;
  const n = training.labels.length;
  const settings = decideSettings(options, tune, n, config.hiddenSize);
  const { epochs, emaDecay, seed } = settings;
  const keepsAverage = emaDecay > 0;
  const [rows, columns] = patchGrid(config);
  const N = rows * columns;
  const kept = Math.max(1, Math.round(settings.keepPatches * N));
  const weights = new Map([...backbone, ...newClassifier(classes.length, config.hiddenSize)]);
  using engine = await TrainingEngine.start(config, weights, {
    tune,
    batchSize: Math.max(settings.batchSize, FORWARD_BATCH),
    fromInputs: settings.cachedViews > 0,
    keepsAverage,
    ...(kept < N ? { keptPatches: kept } : {}),
    ...threadOptions(options),
  });
  startAdapters(engine, tune, seed);
  const steps = Math.ceil(n / settings.batchSize);
  const fingerprint = JSON.stringify([
    settings,
    classes,
    hashOf(training.labels),
    options.threads ?? 1,
  ]);
  let progress: TrainingProgress = {
    fingerprint,
    epoch: 1,
    stepInEpoch: 0,
    step: 0,
    lossSum: 0,
    imageSum: 0,
    normSum: 0,
    seconds: 0,
    records: [],
  };
  let best: Map<string, Tensor<"float32">> | undefined;
  if (run.resume) {
    if (run.resume.progress.fingerprint !== fingerprint) {
      throw new TypeError(
        "Cannot resume: the state is of a training with other photos, options or threads",
      );
    }
    progress = run.resume.progress;
    best = await restoreState(engine, keepsAverage, run.resume);
  } else {
    for (const name of keepsAverage ? engine.parameters.names : []) {
      engine.write("average", name, engine.read("parameters", name).data);
    }
  }
  await engine.refresh();

  const batches = new Batches(job, settings, engine, kept);
  const classWeights = settings.classWeight === "balanced"
    ? countsOf(training.labels, classes.length).map((count) =>
      count === 0 ? 0 : n / (classes.length * count)
    )
    : undefined;
  const started = now() - 1000 * progress.seconds;
  const elapsed = () => (now() - started) / 1000;
  const sessionStart = now();
  let sessionSteps = 0;
  let stopped: string | undefined;
  let epochsWithoutGain = progress.best ? progress.epoch - 1 - progress.best.epoch : 0;
  const groups = new Map(
    engine.parameters.names.map((name) => [
      name,
      parameterGroup(name, engine.parameters.get(name)!.shape, config, settings),
    ]),
  );

  training: while (progress.epoch <= epochs) {
    const { epoch } = progress;
    const order = shuffled(n, randomStream(seed, ORDER, epoch));
    const ahead: Promise<PreparedBatch>[] = [];
    const prepare = (k: number) => {
      const batch = batches.prepare(
        order.slice(Math.floor(n * k / steps), Math.floor(n * (k + 1) / steps)),
        epoch,
        (epoch - 1) * steps + k + 1,
        classWeights,
      );
      batch.catch(() => {}); // reported when it is taken
      return batch;
    };
    const epochStart = now();
    const imagesBefore = progress.imageSum;
    for (let k = progress.stepInEpoch; k < steps; k++) {
      while (ahead.length < BATCHES_AHEAD && k + ahead.length < steps) {
        ahead.push(prepare(k + ahead.length));
      }
      const prepared = await ahead.shift()!;
      for (const text of prepared.problems) yield { kind: "message", text };
      const step = progress.step + 1;
      const learningRate = learningRateAt(
        step,
        epochs * steps,
        Math.round(settings.warmup * epochs * steps),
        settings.learningRate,
      );
      let { lossSum, imageSum, normSum } = progress;
      if (prepared.batch.images > 0) {
        const batch = await batches.finish(prepared);
        const { loss, norm } = await engine.gradients(batch, prepared.objective);
        if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
          stopped = `the loss became ${loss} in step ${step} of epoch ${epoch}; ` +
            "a smaller learning rate may help";
          await Promise.allSettled(ahead);
          break training;
        }
        await engine.step({
          betas: [0.9, 0.999],
          eps: 1e-8,
          step,
          clip: clipFactor(norm, settings.clip),
          emaDecay: Math.min(emaDecay, (1 + step) / (10 + step)),
          groupOf(name) {
            const { scale, weightDecay } = groups.get(name)!;
            return { learningRate: learningRate * scale, weightDecay };
          },
        });
        lossSum += loss * batch.images;
        imageSum += batch.images;
        normSum += norm;
      }
      sessionSteps++;
      progress = {
        ...progress,
        step,
        stepInEpoch: k + 1,
        lossSum,
        imageSum,
        normSum,
        seconds: elapsed(),
      };
      yield {
        kind: "step",
        epoch,
        epochs,
        step: k + 1,
        steps,
        loss: lossSum / imageSum,
        imagesPerSecond: (imageSum - imagesBefore) / ((now() - epochStart) / 1000),
        accuracy: progress.best?.validation.accuracy,
        secondsLeft: (epochs * steps - step) * (now() - sessionStart) / 1000 / sessionSteps,
      };
      if (run.signal?.aborted) {
        await Promise.allSettled(ahead);
        yield { kind: "interrupted", state: readState(engine, keepsAverage, best, progress) };
        return;
      }
      if (options.timeLimit !== undefined && elapsed() > options.timeLimit && k + 1 < steps) {
        stopped = `the time limit was reached in epoch ${epoch} of ${epochs}`;
        await Promise.allSettled(ahead);
        if (epoch > 1) break training;
        break; // the only epoch is judged as it is
      }
    }
    if (progress.imageSum === 0) throw new Error("Cannot train: no image can be read any more");

    // The averaged weights are judged, too: of both, the better are kept.
    const plain = validation ? await validate(engine, job, validation) : undefined;
    let averaged: Validation | undefined;
    let isGain = consider(plain, progress);
    if (keepsAverage && validation) {
      await engine.swapAverage();
      averaged = await validate(engine, job, validation);
      isGain = consider(averaged, progress) || isGain;
      await engine.swapAverage();
    }
    if (!validation) best = parametersOf(engine, keepsAverage ? "average" : "parameters");
    const record: TrainingRecord = {
      epoch,
      epochs,
      step: progress.step,
      loss: progress.lossSum / progress.imageSum,
      learningRate: learningRateAt(
        progress.step,
        epochs * steps,
        Math.round(settings.warmup * epochs * steps),
        settings.learningRate,
      ),
      gradientNorm: progress.normSum / progress.stepInEpoch,
      imagesPerSecond: (progress.imageSum - imagesBefore) / ((now() - epochStart) / 1000),
      seconds: elapsed(),
      ...(plain ? { validation: plain } : {}),
      ...(averaged ? { averaged } : {}),
    };
    progress = {
      ...progress,
      epoch: epoch + 1,
      stepInEpoch: 0,
      lossSum: 0,
      imageSum: 0,
      normSum: 0,
      seconds: elapsed(),
      records: [...progress.records, record],
    };
    const atEpochsEnd = progress;
    yield {
      kind: "epoch",
      record,
      state: () => readState(engine, keepsAverage, best, atEpochsEnd),
    };
    epochsWithoutGain = isGain ? 0 : epochsWithoutGain + 1;
    if (stopped !== undefined) break;
    if (epoch < epochs && epochsWithoutGain >= settings.earlyStopping) {
      stopped = `${epochsWithoutGain} epochs brought no gain on the held-out images`;
      break;
    }
    if (options.timeLimit !== undefined && elapsed() > options.timeLimit && epoch < epochs) {
      stopped = `the time limit was reached after epoch ${epoch} of ${epochs}`;
      break;
    }
  }

  /** Keeps the present parameters if they are the best so far. */
  function consider(
    found: Validation | undefined,
    { epoch, best: former }: TrainingProgress,
  ): boolean {
    const isBetter = found !== undefined &&
      (former === undefined || found.accuracy > former.validation.accuracy ||
        found.accuracy === former.validation.accuracy && found.loss < former.validation.loss);
    if (!isBetter) return false;
    best = parametersOf(engine, "parameters");
    progress = { ...progress, best: { epoch, validation: found } };
    return true;
  }

  const more = { settings, ...(stopped === undefined ? {} : { stopped }) };
  const accuracy = progress.best?.validation.accuracy;
  const isWorse = !best || accuracy !== undefined && accuracy <= frozen.heldOut!.accuracy;
  if (isWorse) {
    const text = best
      ? `Training reached ${
        percent(accuracy!)
      } on the held-out images, no more than the head on the frozen ` +
        `backbone (${percent(frozen.heldOut!.accuracy)}): the result is that head.`
      : "Training gave no weights: the result is the head on the frozen backbone.";
    yield { kind: "message", text };
    yield { kind: "result", result: frozenResult(frozen, backbone, progress.records, more) };
    return;
  }
  for (const [name, { data }] of best!) engine.write("parameters", name, data);
  await engine.refresh();
  const result = await resultOf(job, engine, frozen, tune, progress);
  yield { kind: "result", result: { ...result, ...more } };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** The result of training: the engine's present weights with a calibrated head. */
async function resultOf(
  job: Job,
  engine: TrainingEngine,
  frozen: Frozen,
  tune: Tune,
  { records, best }: TrainingProgress,
): Promise<FinetuneResult> {
  const { dataset: { classes, training, validation }, options } = job;
  const weights = engine.weights();
  const subset = shuffled(training.labels.length, randomStream(options.seed ?? 0, ORDER))
    .slice(0, MAX_FITTED).sort((a, b) => a - b);
  const heldOut = validation && await outputsOf(engine, job, validation, allOf(validation));
  const head = headOfClassifier(
    {
      weight: weights.get("classifier.weight") as Tensor<"float32">,
      bias: weights.get("classifier.bias") as Tensor<"float32">,
      layerNorm: layerNormOf(weights),
      labels: classes,
    },
    await outputsOf(engine, job, training, subset),
    heldOut,
    options.falseRejectionRate ?? 0.05,
  );
  weights.delete("classifier.weight");
  weights.delete("classifier.bias");
  const { temperature } = head.parameters.settings;
  const judgement = heldOut && judge(
    heldOut.logits.map((row) => row.map((z) => z / temperature)),
    heldOut.classes,
    head,
    classes,
  );
  return {
    weights,
    head,
    tune,
    records,
    ...(best ? { bestEpoch: best.epoch } : {}),
    ...(judgement ? heldOutOf(frozen.heldOut!, judgement) : {}),
  };
}

function parametersOf(
  engine: TrainingEngine,
  vector: "parameters" | "average",
): Map<string, Tensor<"float32">> {
  return new Map(engine.parameters.names.map((name) => [name, engine.read(vector, name)]));
}

/** A new classifier: zeros. */
function newClassifier(K: number, D: number): [string, Tensor<"float32">][] {
  return [
    ["classifier.weight", { dtype: "float32", shape: [K, D], data: new Float32Array(K * D) }],
    ["classifier.bias", { dtype: "float32", shape: [K], data: new Float32Array(K) }],
  ];
}

/** A is uniform(±1/√inputs), as PEFT has it; B is 0. */
function startAdapters(engine: TrainingEngine, tune: Tune, seed: number): void {
  if (tune.kind !== "lora") return;
  engine.parameters.names.filter((name) => name.endsWith(".lora_A.weight")).forEach((name, i) => {
    const { shape, size } = engine.parameters.get(name)!;
    const random = randomStream(seed, 6, i);
    const bound = 1 / Math.sqrt(shape[1]!);
    engine.write(
      "parameters",
      name,
      Float32Array.from({ length: size }, () => bound * (2 * random() - 1)),
    );
  });
}

/** Accuracy and mean loss on images that are not augmented. */
async function validate(engine: TrainingEngine, job: Job, set: TrainingSet): Promise<Validation> {
  const { logits, classes } = await outputsOf(engine, job, set, allOf(set));
  let [right, loss] = [0, 0];
  logits.forEach((row, i) => {
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = row.reduce((all, z) => all + Math.exp(z - largest), 0);
    loss += Math.log(sum) - (row[classes[i]!]! - largest);
    if (topK(row, 1)[0] === classes[i]) right++;
  });
  const images = classes.length;
  return { accuracy: right / images, loss: loss / images, images };
}

function hashOf(labels: readonly number[]): string {
  return labels.reduce((hash, label) => Math.imul(hash ^ label + 1, 0x01000193), 0x811c9dc5)
    .toString(16) + `-${labels.length}`;
}

/** A batch whose images are read and augmented. */
interface PreparedBatch {
  /** The images' numbers. */
  readonly indices: readonly number[];
  readonly epoch: number;
  readonly batch: Batch;
  readonly objective: Objective;
  /** What could not be read, in sentences. */
  readonly problems: readonly string[];
}

/** Makes batches of the images of a training. */
class Batches {
  readonly #job: Job;
  readonly #settings: FinetuneSettings;
  readonly #engine: TrainingEngine;
  readonly #kept: number;
  readonly #views: Views;
  /** The outputs of the frozen blocks, in half precision, by view and image. */
  readonly #cache = new Map<string, Float16Array>();

  constructor(job: Job, settings: FinetuneSettings, engine: TrainingEngine, kept: number) {
    this.#job = job;
    this.#settings = settings;
    this.#engine = engine;
    this.#kept = kept;
    this.#views = new Views(job.dataset.training, settings, job.config, job.processor);
  }

  /** Reads and augments images. */
  async prepare(
    indices: readonly number[],
    epoch: number,
    step: number,
    classWeights: readonly number[] | undefined,
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
        randomStream(seed, MIX, step),
      );
      targets = softTargets(rows, K, classWeights);
    } else targets = labelTargets(classesOf, K, { labelSmoothing, classWeights });
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
    for (let i = 0; i < missing.length; i += FORWARD_BATCH) {
      const part = missing.slice(i, i + FORWARD_BATCH);
      const data = new Float32Array(part.length * pixels);
      part.forEach((b, p) =>
        data.set(pixelValues!.subarray(b * pixels, (b + 1) * pixels), p * pixels)
      );
      const inputs = await this.#engine.inputsOf({ images: part.length, pixelValues: data });
      part.forEach((b, p) =>
        this.#cache.set(key(b), new Float16Array(inputs.subarray(p * size, (p + 1) * size)))
      );
    }
    const inputs = new Float32Array(images * size);
    indices.forEach((_, b) => inputs.set(this.#cache.get(key(b))!, b * size));
    const { pixelValues: _, ...others } = batch;
    return { ...others, inputs };
  }

  #patches(images: number, step: number): Pick<Batch, "keptPatches"> {
    const [rows, columns] = patchGrid(this.#job.config);
    const N = rows * columns;
    if (this.#kept === N) return {};
    const random = randomStream(this.#settings.seed, KEEP, step);
    const kept = new Int32Array(images * this.#kept);
    for (let b = 0; b < images; b++) {
      kept.set(shuffled(N, random).slice(0, this.#kept), b * this.#kept);
    }
    return { keptPatches: kept };
  }

  /** Stochastic depth: the share that is left out grows from 0 at the first block to `dropPath` at the last. */
  #branches(images: number, step: number): Pick<Batch, "branchScale"> {
    const { dropPath, seed } = this.#settings;
    if (dropPath === 0) return {};
    const { numHiddenLayers: L } = this.#job.config;
    const random = randomStream(seed, DROP, step);
    const branchScale = Float32Array.from({ length: L * 2 * images }, (_, i) => {
      const rate = dropPath * Math.floor(i / (2 * images)) / Math.max(1, L - 1);
      return random() < rate ? 0 : 1 / (1 - rate);
    });
    return { branchScale };
  }
}
