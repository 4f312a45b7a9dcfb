import { concat } from "@std/bytes/concat";
import { splitImages } from "../dataset/split_images.ts";
import type { TrainingImages } from "../dataset/training_images.ts";
import { percent } from "../heads/evaluate/percent.ts";
import { writeFile } from "../hub/write_file.ts";
import { finetune as finetuneModel } from "../train/finetune/finetune.ts";
import type { FinetuneDataset, FinetuneResult } from "../train/finetune/finetune_events.ts";
import { checkFinetuneOptions, type FinetuneOptions } from "../train/finetune/finetune_options.ts";
import {
  finetuneStateOfTensors,
  finetuneStateToTensors,
} from "../train/finetune/training_state.ts";
import { tuneText } from "../train/finetune/tune_text.ts";
import { randomStream, Stream } from "../train/random_stream.ts";
import type { TrainingSet } from "../train/training_set.ts";
import { type ModelFile, writeModelFile, writeModelWithHead } from "../vit_msn/model_file.ts";
import type { WeightDataType } from "../vit_msn/quantize.ts";
import {
  asCalled,
  choiceOption,
  type Command,
  onlyArgument,
  type OptionValues,
  requiredOption,
  UsageError,
} from "./command.ts";
import { main } from "./main.ts";
import { findPhotos } from "./options/labelled_photos.ts";
import { MODEL_OPTIONS, readModelOption } from "./options/model_option.ts";
import { openTraining, trainingFile } from "./options/training_file.ts";
import { givenNumber, TRAINING_OPTIONS, trainingOptions } from "./options/training_options.ts";
import { readTrainingPhotos } from "./options/training_photos.ts";
import { tuneOption } from "./options/tune_option.ts";
import { epochText, finetuneJson, finetuneText } from "./output/finetune_text.ts";
import { followTraining } from "./output/follow_training.ts";
import { log } from "./output/log.ts";
import type { Terminal } from "./output/terminal.ts";
import { trainingHtml } from "./output/training_html.ts";
import { appendRecord, recordJson } from "./output/training_log.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write; required" },
  ...MODEL_OPTIONS,
  tune: {
    value: "WHAT",
    help: "What learns: auto (default) chooses by the number of photos and the time; head: a " +
      "classifier on frozen features; last:N: the last N blocks; lora:R: adapters of rank R; all",
  },
  epochs: { value: "N", help: "Default is 6 to 40, such that 20,000 photos are seen" },
  "batch-size": { value: "N", help: "Photos a step; default 32" },
  lr: {
    value: "R",
    help:
      "The peak of the learning rate; default 0.001, for lora 0.003; less for models wider than 192",
  },
  "layer-decay": {
    value: "F",
    help: "The learning rate's factor from block to block; default 0.75",
  },
  "weight-decay": { value: "W", help: "Default 0.05" },
  warmup: { value: "S", help: "The share of steps in which the learning rate rises; default 0.1" },
  "label-smoothing": { value: "E", help: "Default 0.1" },
  mixup: { value: "A", help: "Mix photos, with this alpha; default 0, off" },
  cutmix: {
    value: "A",
    help: "Paste parts of photos into others, with this alpha; default 0, off",
  },
  "random-erasing": { value: "P", help: "The share of photos that lose a rectangle; default 0" },
  "rand-augment": { help: "Change photos by RandAugment, too" },
  "crop-scale": { value: "S", help: "The least share of a photo that a crop keeps; default 0.4" },
  "no-mirror": { help: "Do not mirror photos: left and right matter" },
  "drop-path": { value: "P", help: "The share of branches left out at the last block; default 0" },
  "keep-patches": { value: "S", help: "The share of patches that training looks at; default 1" },
  ema: {
    value: "D",
    help: "What stays of the weights' average at each step; 0 is off; default 0.98",
  },
  "class-weight": {
    value: "W",
    help: "none: all photos count alike (default); balanced: all classes do",
  },
  validation: {
    value: "V",
    help:
      "The share of photos that is held out, default 0.15, or a folder or table of other photos",
  },
  "early-stopping": {
    value: "N",
    help: "End after N epochs without a gain on held-out photos; default is never",
  },
  unknown: {
    value: "R",
    help: "The share of known-class photos that may be labelled unknown; default 0.05",
  },
  ...TRAINING_OPTIONS,
  html: { value: "FILE", help: "Write a report with curves and the evaluation of the result" },
};

type Values = OptionValues<typeof options>;

/** The most photos that are held out by a share: more would not tell results apart better. */
const MAX_HELD_OUT = 2000;

/** `deno task finetune`: trains a backbone on labelled photos. */
export const finetune: Command<typeof options> = {
  name: "finetune",
  usage: "PHOTOS --out FILE.onnx",
  description:
    "Fine-tunes a model on labelled photos. The result is never worse on held-out photos than a\n" +
    "head on the frozen backbone, which it falls back to.\n" +
    "PHOTOS is a folder with one subfolder per class, or a CSV or JSON lines table with path and label.\n" +
    "Ctrl-C saves the training beside the output; --resume goes on with it.",
  options,
  examples: [
    ["photos --out my.onnx", "The embedded model; what learns is chosen"],
    [
      "photos --out my.onnx --model vit-msn-small.onnx --tune last:2",
      "The last blocks of a larger one",
    ],
    ["photos --out my.onnx --time-limit 10 --html report.html", "In ten minutes, with a report"],
    ["photos --out my.onnx --resume", "After Ctrl-C"],
  ],
  async run(positional, values, terminal) {
    const source = onlyArgument(positional, "folder or table of photos");
    const out = requiredOption("out", values.out);
    const dtype: WeightDataType = choiceOption("out-dtype", values["out-dtype"], [
      "f32",
      "f16",
      "int8",
    ]);
    const settings = finetuneOptions(values);
    const resume = await openTraining(out, "fitted", values, finetuneStateOfTensors);
    const file = await readModelOption(values, terminal);
    const data = await readPhotos(source, file, values, settings, terminal);
    const say = log("finetune", terminal);
    const result = await followTraining(
      (signal) => finetuneModel(file, data, settings, { resume, signal }),
      {
        terminal,
        say,
        statePath: trainingFile(out),
        isResumed: values.resume,
        stateToTensors: finetuneStateToTensors,
        async onFigures({ record }, save, attempt) {
          await save();
          const { log: path } = values;
          if (path !== undefined) await attempt(() => appendRecord(path, recordJson(record)));
          if (!terminal.stderr.isTerminal) say(epochText(record));
        },
        async onResult(result) {
          await write(out, file, result, dtype);
          if (values.html !== undefined) await writeReport(values.html, result, values, terminal);
        },
      },
    );
    if (!result) return 1;
    terminal.stdout.write(
      values.json
        ? JSON.stringify(finetuneJson(result)) + "\n"
        : asCalled(finetuneText(result, out), terminal),
    );
    return 0;
  },
};

/** @throws {UsageError} if a value is not valid. */
function finetuneOptions(values: Values): FinetuneOptions & { threads: number; seed: number } {
  const given = {
    tune: tuneOption(values.tune),
    epochs: givenNumber(values, "epochs", 1, 10_000, true),
    batchSize: givenNumber(values, "batch-size", 1, 4096, true),
    learningRate: givenNumber(values, "lr", 0, 1e6),
    layerDecay: givenNumber(values, "layer-decay", 0, 1),
    weightDecay: givenNumber(values, "weight-decay", 0, 10),
    warmup: givenNumber(values, "warmup", 0, 1),
    labelSmoothing: givenNumber(values, "label-smoothing", 0, 0.99),
    mixup: givenNumber(values, "mixup", 0, 100),
    cutmix: givenNumber(values, "cutmix", 0, 100),
    randomErasing: givenNumber(values, "random-erasing", 0, 1),
    randAugment: values["rand-augment"],
    cropScale: givenNumber(values, "crop-scale", 0.01, 1),
    mirror: !values["no-mirror"],
    dropPath: givenNumber(values, "drop-path", 0, 0.9),
    keepPatches: givenNumber(values, "keep-patches", 0.01, 1),
    emaDecay: givenNumber(values, "ema", 0, 0.999999),
    classWeight: choiceOption("class-weight", values["class-weight"], ["none", "balanced"]),
    earlyStopping: givenNumber(values, "early-stopping", 1, 10_000, true),
    falseRejectionRate: givenNumber(values, "unknown", 0, 0.99),
  };
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  const settings: FinetuneOptions = Object.fromEntries(chosen);
  const all = { ...settings, ...trainingOptions(values) };
  checkFinetuneOptions(all);
  return all;
}

/** Reads the photos, and holds some out. */
async function readPhotos(
  source: string,
  { config, preprocessorConfig }: ModelFile,
  values: Values,
  { threads, seed }: { threads: number; seed: number },
  terminal: Terminal,
): Promise<FinetuneDataset> {
  const share = Number(values.validation ?? "0.15");
  const isShare = values.validation === undefined || !Number.isNaN(share);
  if (isShare && !(share >= 0 && share < 1)) {
    throw new UsageError(
      `--validation is ${values.validation}, not a share from 0 to below 1, a folder or a table`,
    );
  }
  const found = await findPhotos(source, "finetune", terminal);
  const split = isShare
    ? splitImages(found, share, MAX_HELD_OUT, randomStream(seed, Stream.SPLIT))
    : { training: found, heldOut: await findPhotos(values.validation!, "finetune", terminal) };
  const classes = [...new Set(split.training.map(({ label }) => label))].sort();
  if (classes.length < 2) {
    throw new Error(
      `${source}: there is only the class ${classes[0]}; a classifier takes two or more`,
    );
  }
  const strange = split.heldOut.find(({ label }) => !classes.includes(label));
  if (strange) {
    throw new Error(`${strange.file}: its class ${strange.label} has no photo to train on`);
  }
  const sets = [
    { photos: split.training, viewSide: Math.max(...config.imageSize) },
    { photos: split.heldOut },
  ];
  const job = { name: "finetune", preprocessorConfig, decode: values.decode, threads, terminal };
  const [training, heldOut] = await readTrainingPhotos(sets, job) as [
    TrainingImages,
    TrainingImages,
  ];
  const left = classes.find((name) => !training.labels.includes(name));
  if (left !== undefined) {
    throw new Error(`${source}: no photo of the class ${left} is left to train on`);
  }
  const toSet = ({ labels, digest, image }: TrainingImages): TrainingSet => ({
    labels: labels.map((label) => classes.indexOf(label)),
    digest,
    image,
  });
  return {
    classes,
    training: toSet(training),
    ...(heldOut.files.length > 0 ? { validation: toSet(heldOut) } : {}),
  };
}

async function write(
  out: string,
  { documents }: ModelFile,
  { weights, head }: FinetuneResult,
  dtype: WeightDataType,
): Promise<void> {
  const backbone = concat(
    writeModelFile(documents.config, documents.preprocessorConfig, weights, dtype),
  );
  await writeFile(out, [concat(writeModelWithHead(backbone, head.parameters))]);
}

async function writeReport(
  path: string,
  { settings, records, evaluation, tune, heldOut, stopped }: FinetuneResult,
  values: Values,
  terminal: Terminal,
): Promise<void> {
  const rows: [string, string][] = [
    ["Model", values.model ?? "the embedded model"],
    ["Tuned", tuneText(tune)],
    ...(heldOut
      ? [["Held-out photos", String(heldOut.images)] as [string, string], [
        "Head on the frozen backbone",
        percent(heldOut.frozen),
      ] as [string, string]]
      : []),
    ...Object.entries(settings ?? {}).map(([name, value]): [string, string] => [
      name,
      typeof value === "object" ? tuneText(value) : String(value),
    ]),
  ];
  const html = await trainingHtml({
    title: `Fine-tuning: ${values.out}`,
    summary: rows,
    records,
    evaluation,
    command: terminal.invocation,
    warning: stopped === undefined ? undefined : `Training ended early: ${stopped}.`,
  });
  await writeFile(path, [new TextEncoder().encode(html)]);
}

if (import.meta.main) await main(finetune);
