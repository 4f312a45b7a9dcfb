import type { Tensor } from "../../tensor/tensor.ts";
import type { TrainingEngine } from "../engine/engine.ts";
import type { TuneMode } from "../tune.ts";
import { headOfClassifier } from "./evaluation/calibrate.ts";
import { type Frozen, heldOutOf } from "./evaluation/frozen_head.ts";
import { judge } from "./evaluation/judge.ts";
import { allOf, outputsOf } from "./evaluation/outputs.ts";
import type { FinetuneResult } from "./finetune_events.ts";
import { fittedImages, type Job, layerNormOf } from "./finetune_job.ts";
import type { FinetuneProgress } from "./training_state.ts";

/**
 * The result of training: the engine's present weights with a calibrated head; `undefined` if the outputs of an
 * image are not finite.
 */
export async function trainedResult(
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
    [...outputs?.cls ?? [], ...outputs?.logits ?? []].every((row) => row.every(Number.isFinite))
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
