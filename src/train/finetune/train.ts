import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid } from "../../vit_msn/config.ts";
import { Batches, type PreparedBatch } from "./batches.ts";
import { headOfClassifier } from "./evaluation/calibrate.ts";
import { clipFactor } from "../clip.ts";
import { TrainingEngine } from "../engine/engine.ts";
import { Threads } from "../engine/threads.ts";
import type { FinetuneEvent, FinetuneResult } from "./finetune_events.ts";
import { fittedImages, type Job, layerNormOf, threadOptions } from "./finetune_job.ts";
import { decideSettings } from "./finetune_options.ts";
import { type Frozen, frozenResult, heldOutOf } from "./evaluation/frozen_head.ts";
import { hashFloats, hashNumbers } from "../hash_numbers.ts";
import { judge } from "./evaluation/judge.ts";
import { allOf, FORWARD_BATCH, outputsOf, validate } from "./evaluation/outputs.ts";
import { nextTask } from "../next_task.ts";
import { parameterGroup } from "./parameter_groups.ts";
import { percent } from "../../heads/evaluate/percent.ts";
import { randomStream, shuffled, Stream } from "../random_stream.ts";
import { learningRateAt } from "./schedule.ts";
import type { FinetuneRecord, HeldOutValidation } from "./training_record.ts";
import {
  type FinetuneProgress,
  type FinetuneState,
  readState,
  restoreState,
} from "./training_state.ts";
import type { TuneMode } from "../tune.ts";

/** Batches that are prepared ahead. */
const BATCHES_AHEAD = 2;

/** Trains, and yields the better of the result and the frozen head. */
export async function* train(
  job: Job,
  backbone: Map<string, Tensor<"float32">>,
  frozen: Frozen,
  tune: TuneMode,
): AsyncGenerator<FinetuneEvent> {
  const { config, dataset, options, run, now } = job;
  const { training, validation, classes } = dataset;
  const n = training.labels.length;
  const settings = decideSettings(options, tune, n, config);
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
  const rateAt = (step: number) =>
    learningRateAt(
      step,
      epochs * steps,
      Math.round(settings.warmup * epochs * steps),
      settings.learningRate,
    );
  const fingerprint = JSON.stringify([
    settings,
    classes,
    hashNumbers(training.labels),
    training.digest ?? "",
    [...backbone.values()].map(({ data }) => hashFloats(data)),
    Threads.countFor(options.threads),
  ]);
  let { progress, best } = await begin(engine, keepsAverage, fingerprint, run.resume);
  const batches = new Batches(job, settings, engine, kept);
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
    const order = shuffled(n, randomStream(seed, Stream.ORDER, epoch));
    const ahead: Promise<PreparedBatch>[] = [];
    const prepare = (k: number) => {
      const batch = batches.prepare(
        order.slice(Math.floor(n * k / steps), Math.floor(n * (k + 1) / steps)),
        epoch,
        (epoch - 1) * steps + k + 1,
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
      let { lossSum, imageSum, normSum } = progress;
      if (prepared.batch.images > 0) {
        const batch = await batches.finish(prepared);
        const { loss, norm } = await engine.gradients(batch, prepared.objective);
        if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
          stopped =
            `in step ${step} of epoch ${epoch} the loss became ${loss} and the norm of its ` +
            `gradients ${norm}; a smaller learning rate may help`;
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
            return { learningRate: rateAt(step) * scale, weightDecay };
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
      await nextTask();
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
    let averaged: HeldOutValidation | undefined;
    let isGain = consider(plain, progress);
    if (keepsAverage && validation) {
      await engine.swapAverage();
      averaged = await validate(engine, job, validation);
      isGain = consider(averaged, progress) || isGain;
      await engine.swapAverage();
    }
    if (!validation) {
      const reached = parametersOf(engine, keepsAverage ? "average" : "parameters");
      if ([...reached.values()].every(({ data }) => areFinite(data))) best = reached;
    }
    const record: FinetuneRecord = {
      epoch,
      epochs,
      step: progress.step,
      loss: progress.lossSum / progress.imageSum,
      learningRate: rateAt(progress.step),
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
    if (validation && epoch < epochs && epochsWithoutGain >= settings.earlyStopping) {
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
    found: HeldOutValidation | undefined,
    { epoch, best: former }: FinetuneProgress,
  ): boolean {
    const isBetter = found !== undefined && Number.isFinite(found.loss) &&
      (former === undefined || found.accuracy > former.validation.accuracy ||
        found.accuracy === former.validation.accuracy && found.loss < former.validation.loss);
    if (!isBetter) return false;
    best = parametersOf(engine, "parameters");
    progress = { ...progress, best: { epoch, validation: found } };
    return true;
  }

  const more = () => ({ settings, ...(stopped === undefined ? {} : { stopped }) });
  const frozenHead = () => frozenResult(frozen, backbone, progress.records, more());
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
    yield { kind: "result", result: frozenHead() };
    return;
  }
  for (const [name, { data }] of best!) engine.write("parameters", name, data);
  await engine.refresh();
  const result = await resultOf(job, engine, frozen, tune, progress);
  if (!result) {
    stopped ??= "the weights became too large to compute with; a smaller learning rate may help";
    const text = "Training gave no usable weights: the result is the head on the frozen backbone.";
    yield { kind: "message", text };
  }
  yield { kind: "result", result: result ? { ...result, ...more() } : frozenHead() };
}

function areFinite(numbers: Float32Array): boolean {
  return numbers.every((x) => Number.isFinite(x));
}

/**
 * Begins a training, or puts the state of an interrupted one back.
 *
 * @throws {TypeError} if the state is of another training.
 */
async function begin(
  engine: TrainingEngine,
  keepsAverage: boolean,
  fingerprint: string,
  resume: FinetuneState | undefined,
): Promise<{ progress: FinetuneProgress; best: Map<string, Tensor<"float32">> | undefined }> {
  if (resume) {
    if (resume.progress.fingerprint !== fingerprint) {
      throw new TypeError(
        "Cannot resume: the state is of a training with another model, other photos, options or threads",
      );
    }
    const best = await restoreState(engine, keepsAverage, resume);
    return { progress: resume.progress, best };
  }
  for (const name of keepsAverage ? engine.parameters.names : []) {
    engine.write("average", name, engine.read("parameters", name).data);
  }
  await engine.refresh();
  const sums = { lossSum: 0, imageSum: 0, normSum: 0 };
  return {
    progress: {
      fingerprint,
      tune: engine.tune,
      epoch: 1,
      stepInEpoch: 0,
      step: 0,
      ...sums,
      seconds: 0,
      records: [],
    },
    best: undefined,
  };
}

/**
 * The result of training: the engine's present weights with a calibrated head; `undefined` if the outputs of an
 * image are not finite.
 */
async function resultOf(
  job: Job,
  engine: TrainingEngine,
  frozen: Frozen,
  tune: TuneMode,
  { records, best }: FinetuneProgress,
): Promise<FinetuneResult | undefined> {
  const { dataset: { classes, training, validation }, options } = job;
  const weights = engine.weights();
  const subset = fittedImages(training, options.seed);
  const fitted = await outputsOf(engine, job, training, subset);
  const heldOut = validation && await outputsOf(engine, job, validation, allOf(validation));
  const isUsable = [fitted, heldOut].every((outputs) =>
    outputs?.cls.every(areFinite) !== false && outputs?.logits.every(areFinite) !== false
  );
  if (!isUsable) return undefined;
  const head = headOfClassifier(
    {
      weight: weights.get("classifier.weight") as Tensor<"float32">,
      bias: weights.get("classifier.bias") as Tensor<"float32">,
      layerNorm: layerNormOf(weights),
      labels: classes,
    },
    fitted,
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
function startAdapters(engine: TrainingEngine, tune: TuneMode, seed: number): void {
  if (tune.kind !== "lora") return;
  engine.parameters.names.filter((name) => name.endsWith(".lora_A.weight")).forEach((name, i) => {
    const { shape, size } = engine.parameters.get(name)!;
    const random = randomStream(seed, Stream.ADAPTERS, i);
    const bound = 1 / Math.sqrt(shape[1]!);
    engine.write(
      "parameters",
      name,
      Float32Array.from({ length: size }, () => bound * (2 * random() - 1)),
    );
  });
}
