import { negativeLogLikelihood } from "../../../heads/fit/temperature.ts";
import { matrixOf } from "../../../tensor/matrix.ts";
import type { Outputs } from "./calibrate.ts";
import type { TrainingEngine } from "../../engine/engine.ts";
import type { Job } from "../finetune_job.ts";
import { accuracyOf } from "./judge.ts";
import { nextTask } from "../../next_task.ts";
import type { HeldOutValidation } from "../training_record.ts";
import type { TrainingSet } from "../../training_set.ts";

/** Images of a batch that is only computed forward. */
export const FORWARD_BATCH = 32;

/** The numbers of all images. */
export function allOf({ labels }: TrainingSet): number[] {
  return labels.map((_, i) => i);
}

/**
 * The outputs of images as they are, not augmented; those that cannot be read are left out.
 *
 * @param signal ends the work.
 * @throws {DOMException} `AbortError`, if the signal is aborted.
 */
export async function outputsOf(
  engine: TrainingEngine,
  { processor }: Job,
  set: TrainingSet,
  indices: readonly number[],
  signal?: AbortSignal,
): Promise<Outputs> {
  const outputs = {
    cls: [] as Float32Array[],
    logits: [] as Float32Array[],
    classes: [] as number[],
  };
  const { hiddenSize: D } = engine.config;
  for (let i = 0; i < indices.length; i += FORWARD_BATCH) {
    await nextTask();
    signal?.throwIfAborted();
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

/** Accuracy and mean loss on images that are not augmented. */
export async function validate(
  engine: TrainingEngine,
  job: Job,
  set: TrainingSet,
): Promise<HeldOutValidation> {
  const { logits, classes } = await outputsOf(engine, job, set, allOf(set));
  const images = classes.length;
  const loss = negativeLogLikelihood(matrixOf(logits), classes, classes.map(() => 1));
  return { accuracy: accuracyOf(logits, classes), loss, images };
}
