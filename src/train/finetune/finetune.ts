import { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { ModelFile } from "../../vit_msn/model_file.ts";
import { backboneOf } from "../backbone.ts";
import { chooseTune } from "./choose_tune.ts";
import type { FinetuneDataset, FinetuneEvent, FinetuneRun } from "./finetune_events.ts";
import type { Job } from "./finetune_job.ts";
import { checkFinetuneOptions, decideSettings, type FinetuneOptions } from "./finetune_options.ts";
import { fitFrozen, frozenResult } from "./evaluation/frozen_head.ts";
import { percent } from "../../heads/evaluate/percent.ts";
import { train } from "./train.ts";
import { tuneText } from "./tune_text.ts";

/** The time that training may take by default, in seconds, for `auto`. */
const DEFAULT_TIME = 1800;

/**
 * Fine-tunes a ViT-MSN on labelled images: ViTMSNForImageClassification with its own labels. First fits a head
 * on the frozen backbone's features; then trains, if that is worth it; and returns what names more held-out
 * images right. All random choices follow from the seed.
 *
 * @param model a file of this project, in any data type; a classifier in it is replaced.
 * @throws {DOMException} `AbortError`, if it is interrupted before training begins.
 * @yields a step, an epoch and in the end the result, or the state of an interrupted run.
 * @throws {RangeError} if an option is out of range, there are fewer than two classes, or the memory does not
 * suffice.
 * @throws {TypeError} if another tool made the model, or a state to resume belongs to another training.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { readModelFile } from "../../vit_msn/model_file.ts";
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
  if (frozen.unread > 0) {
    const text =
      `Images that cannot be read any more: ${frozen.unread}; the head does without them.`;
    yield { kind: "message", text };
  }
  if (frozen.heldOut) {
    const share = percent(frozen.heldOut.accuracy);
    yield { kind: "message", text: `The frozen backbone with a head names ${share} right.` };
  }
  let tune = options.tune ?? { kind: "auto" };
  // The choice depends on the measured speed, which may be another one now.
  if (tune.kind === "auto" && run.resume) tune = run.resume.progress.tune;
  if (tune.kind === "auto") {
    const images = dataset.training.labels.length;
    const { epochs } = decideSettings(options, { kind: "all" }, images, config);
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

function checkDataset({ classes, training, validation }: FinetuneDataset): void {
  if (classes.length < 2) {
    throw new RangeError(
      `Cannot train a classifier of ${classes.length} class: it takes two or more`,
    );
  }
  if (training.labels.length === 0) throw new RangeError("Cannot train: there are no images");
  if (validation?.labels.length === 0) {
    throw new RangeError("Cannot train: there are no held-out images; give some, or no validation");
  }
  for (const { labels } of validation ? [training, validation] : [training]) {
    const wrong = labels.find((label) => classes[label] === undefined);
    if (wrong !== undefined) {
      throw new RangeError(`Cannot train: label ${wrong} is none of the ${classes.length} classes`);
    }
  }
}
