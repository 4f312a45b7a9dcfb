import { percent } from "../../heads/evaluate/percent.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { nextTask } from "../next_task.ts";
import type { TuneMode } from "../tune.ts";
import { type Frozen, frozenResult } from "./evaluation/frozen_head.ts";
import type { FinetuneEvent, FinetuneResult } from "./finetune_events.ts";
import type { Job } from "./finetune_job.ts";
import { trainedResult } from "./trained_result.ts";
import { Trainer } from "./trainer.ts";

/** Trains, and yields the better of the result and the frozen head. */
export async function* train(
  job: Job,
  backbone: Map<string, Tensor<"float32">>,
  frozen: Frozen,
  tune: TuneMode,
): AsyncGenerator<FinetuneEvent> {
  using trainer = await Trainer.start(job, backbone, tune);
  const stopped = yield* epochs(trainer, job);
  if (stopped === INTERRUPTED) return;

  const { settings, progress: { best, records } } = trainer;
  const result = (found: FinetuneResult, why = stopped): FinetuneEvent => ({
    kind: "result",
    result: { ...found, settings, ...(why === undefined ? {} : { stopped: why }) },
  });
  const accuracy = best?.validation.accuracy;
  if (!trainer.best || accuracy !== undefined && accuracy <= frozen.heldOut!.accuracy) {
    const text = trainer.best
      ? `Training reached ${
        percent(accuracy!)
      } on the held-out images, no more than the head on the frozen ` +
        `backbone (${percent(frozen.heldOut!.accuracy)}): the result is that head.`
      : "Training gave no weights: the result is the head on the frozen backbone.";
    yield { kind: "message", text };
    yield result(frozenResult(frozen, backbone, records));
    return;
  }
  await trainer.restoreBest();
  const trained = await trainedResult(job, trainer.engine, frozen, tune, trainer.progress);
  if (trained) {
    yield result(trained);
    return;
  }
  const text = "Training gave no usable weights: the result is the head on the frozen backbone.";
  yield { kind: "message", text };
  yield result(
    frozenResult(frozen, backbone, records),
    stopped ??
      "the weights became too large to compute with; a smaller learning rate may help",
  );
}

/** Stands for the end of a training that goes on later. */
const INTERRUPTED = Symbol("interrupted");

/**
 * Trains all epochs that are left.
 *
 * @returns why they ended early, if they did.
 */
async function* epochs(
  trainer: Trainer,
  { dataset, options: { timeLimit = Infinity }, run: { signal }, now }: Job,
): AsyncGenerator<FinetuneEvent, string | undefined | typeof INTERRUPTED> {
  const { settings, steps } = trainer;
  const { epochs } = settings;
  const sessionStart = now();
  let sessionSteps = 0;
  while (trainer.progress.epoch <= epochs) {
    const { epoch, imageSum: imagesBefore } = trainer.progress;
    const epochStart = now();
    const rate = () => (trainer.progress.imageSum - imagesBefore) / ((now() - epochStart) / 1000);
    let stopped: string | undefined;
    for await (const prepared of trainer.batches()) {
      for (const text of prepared.problems) yield { kind: "message", text };
      const diverged = await trainer.step(prepared);
      if (diverged !== undefined) return diverged;
      sessionSteps++;
      const { stepInEpoch, lossSum, imageSum, best } = trainer.progress;
      yield {
        kind: "step",
        epoch,
        epochs,
        step: stepInEpoch,
        steps,
        loss: lossSum / imageSum,
        imagesPerSecond: rate(),
        accuracy: best?.validation.accuracy,
        secondsLeft: trainer.stepsLeft * (now() - sessionStart) / 1000 / sessionSteps,
      };
      await nextTask();
      if (signal?.aborted) {
        yield { kind: "interrupted", state: trainer.state() };
        return INTERRUPTED;
      }
      if (trainer.seconds > timeLimit && stepInEpoch < steps) {
        stopped = `the time limit was reached in epoch ${epoch} of ${epochs}`;
        if (epoch > 1) return stopped;
        break; // the only epoch is judged as it is
      }
    }
    if (trainer.progress.imageSum === 0) {
      throw new Error("Cannot train: no image can be read any more");
    }
    const record = await trainer.endEpoch(rate());
    yield { kind: "epoch", record, state: () => trainer.state() };
    if (stopped !== undefined) return stopped;
    if (epoch === epochs) break;
    const withoutGain = epoch - (trainer.progress.best?.epoch ?? 0);
    if (dataset.validation && withoutGain >= settings.earlyStopping) {
      return `${withoutGain} epochs brought no gain on the held-out images`;
    }
    if (trainer.seconds > timeLimit) {
      return `the time limit was reached after epoch ${epoch} of ${epochs}`;
    }
  }
  return undefined;
}
