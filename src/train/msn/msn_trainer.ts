import { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { clipFactor } from "../clip.ts";
import { Threads } from "../engine/threads.ts";
import { hashFloats, hashNumbers } from "../hash_numbers.ts";
import { nextTask } from "../next_task.ts";
import { collapseAlarm } from "./monitor/collapse.ts";
import { Monitor } from "./monitor/monitor.ts";
import type { MsnLosses, MsnObjective } from "./engine/msn_batch.ts";
import { MsnBatches, type PreparedMsnBatch } from "./msn_batches.ts";
import { MsnEngine } from "./engine/msn_engine.ts";
import { PROTOTYPES } from "./engine/msn_network.ts";
import type { MsnSettings } from "./msn_settings.ts";
import type {
  PretrainDataset,
  PretrainEvent,
  PretrainRecord,
  PretrainRun,
} from "./pretrain_events.ts";
import type { PretrainOptions } from "./pretrain_options.ts";
import {
  type PretrainProgress,
  readPretrainState,
  restorePretrainState,
  type StepSums,
} from "./pretrain_state.ts";
import { PrototypeUsage } from "./monitor/prototype_usage.ts";
import { type MsnSchedule, scheduleAt } from "./schedules.ts";
import type { MsnNetworks } from "./start_networks.ts";

/** Batches that are prepared ahead. */
const BATCHES_AHEAD = 2;
const MAX_RECORD_EVERY = 10_000;
/** Records of a training that has more images than that. */
const RECORDS = 20;
/** Images whose nearest neighbours and rank are measured: what a record costs beside the steps before it. */
const MONITORED = { maxSupport: 1000, maxQueries: 500, maxUnlabelled: 500 };

/** PyTorch's defaults. */
const BETAS = [0.9, 0.999] as const;
const EPS = 1e-8;

const NO_SUMS: StepSums = {
  steps: 0,
  loss: 0,
  crossEntropy: 0,
  meMax: 0,
  entropy: 0,
  norm: 0,
  seconds: 0,
};

/** What a pre-training works on. */
export interface PretrainJob {
  readonly config: ViTMSNConfig;
  readonly processor: ViTImageProcessor;
  readonly dataset: PretrainDataset;
  readonly settings: MsnSettings;
  readonly networks: MsnNetworks;
  readonly options: PretrainOptions;
  readonly run: PretrainRun;
  readonly now: () => number;
}

/** A pre-training under way. */
export class MsnTrainer implements Disposable {
  readonly #job: PretrainJob;
  readonly #engine: MsnEngine;
  readonly #batches: MsnBatches;
  readonly #monitor: Monitor;
  readonly #usage = new PrototypeUsage();
  readonly #steps: number;
  readonly #recordEvery: number;
  /** How parameters without weight decay are told. */
  readonly #decays: ReadonlyMap<string, boolean>;
  #progress: PretrainProgress;
  /** The target encoder of the last record whose features were finite; before, the one at the start. */
  #good: Map<string, Tensor>;

  private constructor(job: PretrainJob, engine: MsnEngine, batches: MsnBatches) {
    const { dataset: { labels, classes = [] }, settings, options } = job;
    this.#job = job;
    this.#engine = engine;
    this.#batches = batches;
    this.#good = engine.encoderWeights("average");
    this.#monitor = new Monitor({
      labels,
      classes: classes.length,
      seed: options.seed ?? 0,
      ...MONITORED,
    });
    const { criterion: { batch_size: B }, optimization: { epochs } } = settings;
    this.#steps = epochs * batches.stepsPerEpoch;
    const every = options.recordEvery ??
      Math.min(MAX_RECORD_EVERY, Math.max(labels.length, this.#steps * B / RECORDS));
    this.#recordEvery = Math.max(1, Math.round(every / B));
    this.#decays = new Map(engine.parameters.names.map((name) => [
      name,
      name !== PROTOTYPES && !/bias|bn/.test(name) &&
      engine.parameters.get(name)!.shape.length > 1,
    ]));
    this.#progress = {
      fingerprint: fingerprintOf(job),
      step: 0,
      sums: NO_SUMS,
      usage: this.#usage.state,
      seconds: 0,
      records: [],
    };
  }

  /** @throws {TypeError} if the state to resume belongs to another training. */
  static async start(job: PretrainJob): Promise<MsnTrainer> {
    const { config, dataset, settings, networks, options, run } = job;
    const { data, criterion, meta } = settings;
    const batches = new MsnBatches(dataset, settings, config, job.processor, options.seed ?? 0);
    const { network, target, prototypes } = networks;
    const engine = await MsnEngine.start(config, network, target, prototypes, {
      batchSize: criterion.batch_size,
      randomViews: data.rand_views,
      focalViews: data.focal_views,
      randomSize: [data.rand_size, data.rand_size],
      focalSize: [data.focal_size, data.focal_size],
      keptPatches: batches.keptPatches,
      usesBatchNorm: meta.use_bn,
      threads: Threads.countFor(options.threads),
      ...(options.build ? { build: options.build } : {}),
      createWorker: options.createWorker,
    });
    try {
      const training = new MsnTrainer(job, engine, batches);
      if (run.resume) await training.#resume(run.resume);
      return training;
    } catch (error) {
      engine[Symbol.dispose]();
      throw error;
    }
  }

  async #resume(state: NonNullable<PretrainRun["resume"]>): Promise<void> {
    if (state.progress.fingerprint !== this.#progress.fingerprint) {
      throw new TypeError(
        "Cannot resume: the state belongs to a pre-training with another model, other images, options or threads",
      );
    }
    await restorePretrainState(this.#engine, state);
    this.#usage.restore(state.progress.usage);
    this.#progress = state.progress;
    const weights = this.#engine.encoderWeights("average");
    if ([...weights.values()].every(({ data }) => (data as Float32Array).every(Number.isFinite))) {
      this.#good = weights;
    }
  }

  /** Trains to the end. */
  async *run(): AsyncGenerator<PretrainEvent> {
    const { run, now, options } = this.#job;
    const sessionStart = now() - 1000 * this.#progress.seconds;
    const elapsed = () => (now() - sessionStart) / 1000;
    const firstStep = this.#progress.step;
    const begun = now();
    if (this.#progress.records.length === 0) yield await this.#record(elapsed());
    const ahead: Promise<PreparedMsnBatch>[] = [];
    let stopped: string | undefined;
    while (this.#progress.step < this.#steps) {
      const step = this.#progress.step + 1;
      const stepStart = now();
      while (ahead.length < BATCHES_AHEAD && step + ahead.length <= this.#steps) {
        const next = this.#batches.prepare(step + ahead.length);
        next.catch(() => {}); // reported when it is taken
        ahead.push(next);
      }
      const { batch, problems } = await ahead.shift()!;
      for (const text of problems) yield { kind: "message", text };
      const schedule = this.#scheduleOf(step);
      const losses = await this.#engine.gradients(batch, this.#objective(schedule));
      if (!Number.isFinite(losses.loss) || !Number.isFinite(losses.norm)) {
        stopped = `in step ${step} the loss became ${losses.loss} and the norm of its gradients ` +
          `${losses.norm}; a smaller optimization.lr may help`;
        break;
      }
      await this.#step(step, schedule, losses);
      this.#advance(step, losses, (now() - stepStart) / 1000, elapsed());
      yield this.#stepEvent((now() - begun) / 1000 / (step - firstStep));
      await nextTask();
      const isLast = step === this.#steps;
      const isLate = options.timeLimit !== undefined && elapsed() > options.timeLimit && !isLast;
      if (isLast || isLate || step % this.#recordEvery === 0) {
        const event = await this.#record(elapsed());
        yield event;
        if (!Number.isFinite(event.record.effectiveRank)) {
          stopped =
            `after step ${step} features are not finite; a smaller optimization.lr may help`;
          break;
        }
      }
      if (run.signal?.aborted) {
        await Promise.allSettled(ahead);
        yield { kind: "interrupted", state: readPretrainState(this.#engine, this.#progress) };
        return;
      }
      if (isLate) {
        stopped = `the time limit was reached after ${step} of ${this.#steps} steps`;
        break;
      }
    }
    await Promise.allSettled(ahead);
    const { settings } = this.#job;
    const { records } = this.#progress;
    const more = stopped === undefined ? {} : { stopped };
    yield { kind: "result", result: { weights: this.#good, settings, records, ...more } };
  }

  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }

  #scheduleOf(step: number): MsnSchedule {
    return scheduleAt(step, this.#job.settings, this.#batches.stepsPerEpoch);
  }

  #objective({ sharpen }: MsnSchedule): MsnObjective {
    const { criterion, data } = this.#job.settings;
    return {
      temperature: criterion.temperature,
      sharpen,
      sinkhornIterations: criterion.use_sinkhorn ? criterion.sinkhorn_iterations : 0,
      labelSmoothing: data.label_smoothing,
      meMaxWeight: criterion.me_max ? criterion.memax_weight : 0,
      entropyWeight: criterion.use_ent ? criterion.ent_weight : 0,
    };
  }

  async #step(step: number, schedule: MsnSchedule, { norm }: MsnLosses): Promise<void> {
    const { optimization: { clip_grad }, criterion: { freeze_proto } } = this.#job.settings;
    await this.#engine.step({
      betas: BETAS,
      eps: EPS,
      step,
      clip: clip_grad > 0 ? clipFactor(norm, clip_grad) : 1,
      emaDecay: schedule.momentum,
      groupOf: (name) => ({
        learningRate: name === PROTOTYPES && freeze_proto ? 0 : schedule.learningRate,
        weightDecay: this.#decays.get(name) ? schedule.weightDecay : 0,
        isClipped: name !== PROTOTYPES,
      }),
    });
  }

  #advance(step: number, losses: MsnLosses, took: number, seconds: number): void {
    const { sums } = this.#progress;
    this.#usage.add(this.#engine.lastTargets(), this.#job.settings.criterion.num_proto);
    this.#progress = {
      ...this.#progress,
      step,
      seconds,
      usage: this.#usage.state,
      sums: {
        steps: sums.steps + 1,
        loss: sums.loss + losses.loss,
        crossEntropy: sums.crossEntropy + losses.crossEntropy,
        meMax: sums.meMax + losses.meMax,
        entropy: sums.entropy + losses.entropy,
        norm: sums.norm + losses.norm,
        seconds: sums.seconds + took,
      },
    };
  }

  #stepEvent(secondsPerStep: number): PretrainEvent {
    const { step, sums, records } = this.#progress;
    const { stepsPerEpoch } = this.#batches;
    const { criterion: { batch_size }, optimization: { epochs } } = this.#job.settings;
    return {
      kind: "step",
      epoch: 1 + Math.floor((step - 1) / stepsPerEpoch),
      epochs,
      step: 1 + (step - 1) % stepsPerEpoch,
      steps: stepsPerEpoch,
      loss: sums.loss / sums.steps,
      imagesPerSecond: batch_size * sums.steps / sums.seconds,
      accuracy: records.at(-1)?.knnAccuracy,
      secondsLeft: (this.#steps - step) * secondsPerStep,
    };
  }

  /** Measures the target encoder, and begins new sums. */
  async #record(seconds: number): Promise<PretrainEvent & { kind: "record" }> {
    const { step, sums, records } = this.#progress;
    const { settings } = this.#job;
    const { criterion: { batch_size }, optimization: { epochs } } = settings;
    const measured = {
      step,
      images: step * batch_size,
      epoch: Math.max(1, Math.ceil(step / this.#batches.stepsPerEpoch)),
      epochs,
      ...await this.#measure(),
      ...this.#usage.report(),
      ...(sums.steps > 0 ? this.#means(step, sums) : {}),
      seconds,
    };
    const alarm = collapseAlarm(measured, records[0], settings);
    const record: PretrainRecord = alarm === undefined ? measured : { ...measured, alarm };
    if (Number.isFinite(record.effectiveRank)) this.#good = this.#engine.encoderWeights("average");
    this.#usage.reset();
    this.#progress = {
      ...this.#progress,
      sums: NO_SUMS,
      usage: this.#usage.state,
      records: [...records, record],
    };
    const progress = this.#progress;
    return { kind: "record", record, state: () => readPretrainState(this.#engine, progress) };
  }

  #means(step: number, sums: StepSums): Partial<PretrainRecord> {
    const { learningRate, weightDecay, momentum } = this.#scheduleOf(step);
    return {
      loss: sums.loss / sums.steps,
      crossEntropy: sums.crossEntropy / sums.steps,
      meMax: sums.meMax / sums.steps,
      entropy: sums.entropy / sums.steps,
      gradientNorm: sums.norm / sums.steps,
      learningRate,
      weightDecay,
      momentum,
      imagesPerSecond: this.#job.settings.criterion.batch_size * sums.steps / sums.seconds,
    };
  }

  /**
   * The features of the monitored images, judged. Images that cannot be read are left out.
   *
   * @throws {Error} if fewer than two are left.
   */
  async #measure() {
    const { dataset, processor, settings, config } = this.#job;
    const { criterion: { batch_size: B }, data: { rand_size } } = settings;
    const size = { height: rand_size, width: rand_size };
    const isOwnSize = config.imageSize.every((side) => side === rand_size);
    const prepared = isOwnSize ? processor : new ViTImageProcessor({
      ...processor.config,
      doResize: true,
      doCenterCrop: false,
      size,
    });
    const { images } = this.#monitor;
    const features = new Map<number, Float32Array>();
    const D = config.hiddenSize;
    for (let i = 0; i < images.length; i += B) {
      await nextTask();
      const read = await Promise.all(
        images.slice(i, i + B).map(async (index) => {
          try {
            return { index, image: await dataset.image(index) };
          } catch {
            return undefined;
          }
        }),
      );
      const found = read.filter((entry) => entry !== undefined);
      if (found.length === 0) continue;
      const { data } = prepared.preprocess(found.map(({ image }) => image));
      const rows = await this.#engine.features(found.length, data);
      found.forEach(({ index }, b) => features.set(index, rows.slice(b * D, (b + 1) * D)));
    }
    if (features.size < 2) {
      throw new Error(
        `Cannot pre-train: only ${features.size} of ${images.length} monitored images can be read ` +
          "any more; see that the files are there",
      );
    }
    const areFinite = [...features.values()].every((row) => row.every(Number.isFinite));
    if (areFinite) return this.#monitor.measure(features);
    return { effectiveRank: NaN, largestRank: NaN, featureSimilarity: NaN };
  }
}

/** What a resumed training must have in common with the one that was interrupted. */
function fingerprintOf({ dataset, settings, networks, options }: PretrainJob): string {
  const tensors = [
    ...networks.network.encoder.values(),
    ...networks.network.head.values(),
    ...networks.target.encoder.values(),
    ...networks.target.head.values(),
    networks.prototypes,
  ];
  return JSON.stringify([
    settings,
    dataset.classes ?? [],
    hashNumbers(dataset.labels.map((label) => label ?? -1)),
    dataset.digest ?? "",
    tensors.map(({ data }) => hashFloats(data as Float32Array)),
    options.seed ?? 0,
    Threads.countFor(options.threads),
    options.recordEvery ?? 0,
  ]);
}
