import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid } from "../../vit_msn/config.ts";
import { clipFactor } from "../clip.ts";
import { TrainingEngine } from "../engine/engine.ts";
import { Threads } from "../engine/threads.ts";
import { hashFloats, hashNumbers } from "../hash_numbers.ts";
import { randomStream, shuffled, Stream } from "../random_stream.ts";
import type { TuneMode } from "../tune.ts";
import { Batches, type PreparedBatch } from "./batches.ts";
import { FORWARD_BATCH, validate } from "./evaluation/outputs.ts";
import { type Job, threadOptions } from "./finetune_job.ts";
import { decideSettings, type FinetuneSettings } from "./finetune_options.ts";
import { type ParameterGroup, parameterGroup } from "./parameter_groups.ts";
import { learningRateAt } from "./schedule.ts";
import type { FinetuneRecord, HeldOutValidation } from "./training_record.ts";
import { begin, newClassifier, resume, type Start, startAdapters } from "./start.ts";
import { type FinetuneProgress, type FinetuneState, readState } from "./training_state.ts";

/** Batches that are prepared ahead. */
const BATCHES_AHEAD = 2;

/** Trains a model step by step, judges it after an epoch, and keeps its best parameters. */
export class Trainer implements Disposable {
  /** How it trains. */
  readonly settings: FinetuneSettings;
  /** Steps an epoch. */
  readonly steps: number;
  readonly engine: TrainingEngine;
  readonly #job: Job;
  readonly #batches: Batches;
  readonly #groups: ReadonlyMap<string, ParameterGroup>;
  readonly #started: number;
  #progress: FinetuneProgress;
  #best: ReadonlyMap<string, Tensor<"float32">> | undefined;

  private constructor(
    job: Job,
    settings: FinetuneSettings,
    engine: TrainingEngine,
    batches: Batches,
    { progress, best }: Start,
  ) {
    this.#job = job;
    this.settings = settings;
    this.engine = engine;
    this.#batches = batches;
    this.#progress = progress;
    this.#best = best;
    this.#started = job.now() - 1000 * progress.seconds;
    this.steps = Math.ceil(job.dataset.training.labels.length / settings.batchSize);
    this.#groups = new Map(
      engine.parameters.names.map((name) => [
        name,
        parameterGroup(name, engine.parameters.get(name)!.shape, job.config, settings),
      ]),
    );
  }

  /**
   * Begins a training, or puts the state of an interrupted one back.
   *
   * @throws {TypeError} if the state belongs to another training.
   */
  static async start(
    job: Job,
    backbone: ReadonlyMap<string, Tensor<"float32">>,
    tune: TuneMode,
  ): Promise<Trainer> {
    const { config, dataset: { classes, training }, options, run } = job;
    const settings = decideSettings(options, tune, training.labels.length, config);
    const [rows, columns] = patchGrid(config);
    const N = rows * columns;
    const keptPatches = Math.max(1, Math.round(settings.keepPatches * N));
    const keepsAverage = settings.emaDecay > 0;
    const weights = new Map([...backbone, ...newClassifier(classes.length, config)]);
    const engine = await TrainingEngine.start(config, weights, {
      tune,
      batchSize: Math.max(settings.batchSize, FORWARD_BATCH),
      fromInputs: settings.cachedViews > 0,
      keepsAverage,
      ...(keptPatches < N ? { keptPatches } : {}),
      ...threadOptions(options),
    });
    try {
      startAdapters(engine, tune, settings.seed);
      const fingerprint = JSON.stringify([
        settings,
        classes,
        hashNumbers(training.labels),
        training.digest ?? "",
        [...backbone.values()].map(({ data }) => hashFloats(data)),
        Threads.countFor(options.threads),
      ]);
      const start = run.resume
        ? await resume(engine, keepsAverage, fingerprint, run.resume)
        : await begin(engine, keepsAverage, fingerprint);
      const batches = new Batches(job, settings, engine, keptPatches);
      return new Trainer(job, settings, engine, batches, start);
    } catch (error) {
      engine[Symbol.dispose]();
      throw error;
    }
  }

  /** Where it is. */
  get progress(): FinetuneProgress {
    return this.#progress;
  }

  /** The best parameters so far; without held-out images, the last finite ones. */
  get best(): ReadonlyMap<string, Tensor<"float32">> | undefined {
    return this.#best;
  }

  /** Seconds of training, those before an interruption included. */
  get seconds(): number {
    return (this.#job.now() - this.#started) / 1000;
  }

  /** The steps of all epochs that are left. */
  get stepsLeft(): number {
    return this.settings.epochs * this.steps - this.#progress.step;
  }

  /** The batches of the present epoch that are left, in order. Some are prepared ahead. */
  async *batches(): AsyncGenerator<PreparedBatch> {
    const { epoch, stepInEpoch } = this.#progress;
    const n = this.#job.dataset.training.labels.length;
    const order = shuffled(n, randomStream(this.settings.seed, Stream.ORDER, epoch));
    const ahead: Promise<PreparedBatch>[] = [];
    try {
      for (let k = stepInEpoch; k < this.steps; k++) {
        while (ahead.length < BATCHES_AHEAD && k + ahead.length < this.steps) {
          const next = k + ahead.length;
          const batch = this.#batches.prepare(
            order.slice(Math.floor(n * next / this.steps), Math.floor(n * (next + 1) / this.steps)),
            epoch,
            (epoch - 1) * this.steps + next + 1,
          );
          batch.catch(() => {}); // reported when it is taken
          ahead.push(batch);
        }
        yield await ahead.shift()!;
      }
    } finally {
      await Promise.allSettled(ahead);
    }
  }

  /**
   * Learns from a batch.
   *
   * @returns why it did not, if the loss or its gradients are not finite; the parameters are as before.
   */
  async step(prepared: PreparedBatch): Promise<string | undefined> {
    const { epoch, stepInEpoch } = this.#progress;
    const step = this.#progress.step + 1;
    let { lossSum, imageSum, normSum } = this.#progress;
    if (prepared.batch.images > 0) {
      const batch = await this.#batches.finish(prepared);
      const { loss, norm } = await this.engine.gradients(batch, prepared.objective);
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
        return `in step ${step} of epoch ${epoch} the loss became ${loss} and the norm of its ` +
          `gradients ${norm}; a smaller learning rate may help`;
      }
      await this.engine.step({
        betas: [0.9, 0.999],
        eps: 1e-8,
        step,
        clip: clipFactor(norm, this.settings.clip),
        emaDecay: Math.min(this.settings.emaDecay, (1 + step) / (10 + step)),
        groupOf: (name) => {
          const { scale, weightDecay } = this.#groups.get(name)!;
          return { learningRate: this.#rateAt(step) * scale, weightDecay };
        },
      });
      lossSum += loss * batch.images;
      imageSum += batch.images;
      normSum += norm;
    }
    this.#progress = {
      ...this.#progress,
      step,
      stepInEpoch: stepInEpoch + 1,
      lossSum,
      imageSum,
      normSum,
      seconds: this.seconds,
    };
    return undefined;
  }

  /**
   * Judges the parameters and their average on the held-out images and keeps the better of both, if they are the
   * best so far; then goes on to the next epoch.
   *
   * @param imagesPerSecond the rate of the epoch's training.
   */
  async endEpoch(imagesPerSecond: number): Promise<FinetuneRecord> {
    const { dataset: { validation } } = this.#job;
    const { engine, settings } = this;
    const keepsAverage = settings.emaDecay > 0;
    const plain = validation ? await validate(engine, this.#job, validation) : undefined;
    this.#consider(plain);
    let averaged: HeldOutValidation | undefined;
    if (keepsAverage && validation) {
      await engine.swapAverage();
      averaged = await validate(engine, this.#job, validation);
      this.#consider(averaged);
      await engine.swapAverage();
    }
    if (!validation) {
      const reached = parametersOf(engine, keepsAverage ? "average" : "parameters");
      if ([...reached.values()].every(({ data }) => data.every(Number.isFinite))) {
        this.#best = reached;
      }
    }
    const { epoch, step, stepInEpoch, lossSum, imageSum, normSum, records } = this.#progress;
    const record: FinetuneRecord = {
      epoch,
      epochs: settings.epochs,
      step,
      loss: lossSum / imageSum,
      learningRate: this.#rateAt(step),
      gradientNorm: normSum / stepInEpoch,
      imagesPerSecond,
      seconds: this.seconds,
      ...(plain ? { validation: plain } : {}),
      ...(averaged ? { averaged } : {}),
    };
    this.#progress = {
      ...this.#progress,
      epoch: epoch + 1,
      stepInEpoch: 0,
      lossSum: 0,
      imageSum: 0,
      normSum: 0,
      seconds: this.seconds,
      records: [...records, record],
    };
    return record;
  }

  /** What a resumed training goes on with. */
  state(): FinetuneState {
    return readState(this.engine, this.settings.emaDecay > 0, this.#best, this.#progress);
  }

  /** Puts the best parameters back. */
  async restoreBest(): Promise<void> {
    for (const [name, { data }] of this.#best!) this.engine.write("parameters", name, data);
    await this.engine.refresh();
  }

  /** Frees the engine. */
  [Symbol.dispose](): void {
    this.engine[Symbol.dispose]();
  }

  #rateAt(step: number): number {
    const { epochs, warmup, learningRate } = this.settings;
    const all = epochs * this.steps;
    return learningRateAt(step, all, Math.round(warmup * all), learningRate);
  }

  /** Keeps the engine's parameters if they are the best so far. */
  #consider(found: HeldOutValidation | undefined): void {
    const { epoch, best: former } = this.#progress;
    const isBetter = found !== undefined && Number.isFinite(found.loss) &&
      (former === undefined || found.accuracy > former.validation.accuracy ||
        found.accuracy === former.validation.accuracy && found.loss < former.validation.loss);
    if (!isBetter) return;
    this.#best = parametersOf(this.engine, "parameters");
    this.#progress = { ...this.#progress, best: { epoch, validation: found } };
  }
}

function parametersOf(
  engine: TrainingEngine,
  vector: "parameters" | "average",
): Map<string, Tensor<"float32">> {
  return new Map(engine.parameters.names.map((name) => [name, engine.read(vector, name)]));
}
