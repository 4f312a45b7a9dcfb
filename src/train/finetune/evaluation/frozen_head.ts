import { toFeature } from "../../../heads/feature.ts";
import { fitHead } from "../../../heads/fit/fit_head.ts";
import type { Head } from "../../../heads/head.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ViTMSNWeights } from "../../../vit_msn/weights.ts";
import { TrainingEngine } from "../../engine/engine.ts";
import type { FinetuneResult } from "../finetune_events.ts";
import { fittedImages, type Job, layerNormOf, threadOptions } from "../finetune_job.ts";
import { judge, type Judgement } from "./judge.ts";
import { allOf, FORWARD_BATCH, outputsOf } from "./outputs.ts";
import type { FinetuneRecord } from "../training_record.ts";
import type { TrainingSet } from "../../training_set.ts";

/** A head on the frozen backbone. */
export interface Frozen {
  readonly head: Head;
  readonly heldOut?: Judgement;
  /** Images a second of the forward. */
  readonly rate: number;
  /** Images that could not be read any more, which the head does without. */
  readonly unread: number;
}

/** Fits a head on the features of the frozen backbone, as `fit` does. */
export async function fitFrozen(job: Job, backbone: ViTMSNWeights): Promise<Frozen> {
  const { config, dataset: { classes, training, validation }, options } = job;
  using engine = await TrainingEngine.start(config, backbone, {
    tune: { kind: "last", blocks: 0 },
    batchSize: FORWARD_BATCH,
    ...threadOptions(options),
  });
  const layerNorm = layerNormOf(backbone);
  const started = job.now();
  const subset = fittedImages(training, options.seed);
  const featuresOf = async (set: TrainingSet, indices: readonly number[]) => {
    const { cls, classes: found } = await outputsOf(
      engine,
      job,
      set,
      indices,
      job.run.signal,
    );
    const features = cls.map((vector) => toFeature(vector, layerNorm));
    return { features, labels: found.map((label) => classes[label]!) };
  };
  const support = await featuresOf(training, subset);
  if (support.labels.length === 0) throw new Error("Cannot train: no image can be read");
  const rate = subset.length / Math.max(1e-3, (job.now() - started) / 1000);
  const { falseRejectionRate = 0.05, seed = 0, classWeight = "none" } = options;
  const { head } = fitHead(support, { falseRejectionRate, seed, classWeight });
  const unread = subset.length - support.labels.length;
  if (!validation) return { head, rate, unread };
  const query = await featuresOf(validation, allOf(validation));
  if (query.labels.length === 0) throw new Error("Cannot train: no held-out image can be read");
  const logits = alignedTo(classes, head, query.features);
  const truths = query.labels.map((label) => classes.indexOf(label));
  return {
    head,
    rate,
    unread: unread + validation.labels.length - query.labels.length,
    heldOut: judge(logits, truths, head, classes),
  };
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

/** The result that leaves the backbone as it is. */
export function frozenResult(
  { head, heldOut }: Frozen,
  weights: Map<string, Tensor>,
  records: readonly FinetuneRecord[],
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

/** The accuracy of a result, beside that of the frozen head. */
export function heldOutOf(
  frozen: Judgement,
  { accuracy, images, evaluation }: Judgement,
): Pick<FinetuneResult, "heldOut" | "evaluation"> {
  return {
    heldOut: { frozen: frozen.accuracy, result: accuracy, images },
    ...(evaluation ? { evaluation } : {}),
  };
}
