import type { PhotoFile } from "../dataset/image_files.ts";
import { findPretrainingImages } from "../dataset/photo_sources.ts";
import { trainingImages } from "../dataset/training_images.ts";
import { percent } from "../heads/evaluate/percent.ts";
import { processors } from "../host/processors.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { readWhole } from "../hub/read_whole.ts";
import { removeIfThere } from "../hub/remove_if_there.ts";
import { writeFile } from "../hub/write_file.ts";
import type { RawImage } from "../image/raw_image.ts";
import { ViTImageProcessor } from "../preprocess/vit_image_processor.ts";
import { anchorPatches } from "../train/msn/msn_batches.ts";
import { parseMsnConfig } from "../train/msn/msn_config.ts";
import type { MsnConfig, MsnSettings } from "../train/msn/msn_settings.ts";
import { MsnViews } from "../train/msn/msn_views.ts";
import { pretrain as pretrainModel, pretrainSettings } from "../train/msn/pretrain.ts";
import type {
  PretrainDataset,
  PretrainRecord,
  PretrainResult,
} from "../train/msn/pretrain_events.ts";
import type { PretrainOptions } from "../train/msn/pretrain_options.ts";
import {
  type PretrainState,
  pretrainStateOfTensors,
  pretrainStateToTensors,
} from "../train/msn/pretrain_state.ts";
import { writeModelFile } from "../vit_msn/model_file.ts";
import {
  asCalled,
  choiceOption,
  type Command,
  errorMessage,
  numberOption,
  type OptionValues,
  requiredOption,
  UsageError,
} from "./command.ts";
import { main } from "./main.ts";
import { assertWritable } from "./options/assert_writable.ts";
import { DECODE_OPTION, decodeOptions } from "./options/decode_option.ts";
import { MODEL_OPTIONS } from "./options/model_option.ts";
import { assertReplaceable, FORCE_OPTION } from "./options/overwrite.ts";
import {
  pretrainModel as pretrainModelOption,
  type PretrainModelOption,
} from "./options/pretrain_model.ts";
import { assertNoTraining, readTraining, trainingFile } from "./options/training_file.ts";
import { urlText } from "./options/url_argument.ts";
import { commandLine } from "./output/command_line.ts";
import { contactSheet } from "./output/contact_sheet.ts";
import { greyOutPatches } from "./output/grey_out_patches.ts";
import { followTraining } from "./output/follow_training.ts";
import { log } from "./output/log.ts";
import { lossText } from "./output/loss_text.ts";
import { writePng } from "../image/write_png.ts";
import { pretrainHtml } from "./output/pretrain_html.ts";
import { pretrainRecordJson } from "./output/pretrain_log.ts";
import { printable } from "./output/printable.ts";
import { Progress } from "./output/progress/progress.ts";
import type { Terminal } from "./output/terminal.ts";
import { appendRecord } from "./output/training_log.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write; required, but for --show-views" },
  model: {
    value: "START",
    help:
      "Where to start: an ONNX file or a hub model as everywhere; or a checkpoint's folder or " +
      "weights file, such as the authors' .pth.tar, whose head and prototypes are gone on from; " +
      "default is the embedded model",
  },
  dtype: MODEL_OPTIONS.dtype,
  offline: MODEL_OPTIONS.offline,
  "from-scratch": { help: "Take the model's shape alone, and new weights" },
  config: {
    value: "FILE",
    help: "A configuration of the authors' code, YAML: every knob, under its name there; the " +
      "defaults suit small sets and small models",
  },
  epochs: { value: "N", help: "optimization.epochs" },
  "batch-size": { value: "N", help: "criterion.batch_size" },
  lr: { value: "R", help: "optimization.lr, the peak of the learning rate" },
  "patch-drop": { value: "S", help: "data.patch_drop, the share of patches that anchors lose" },
  "show-views": {
    value: "FILE",
    help: "Write a PNG with the views of some photos; without --out, nothing is trained",
  },
  seed: { value: "S", help: "The random seed, an integer of at least 0; default 0" },
  threads: { value: "N", help: "Threads that train; default is the number of cores, at most 8" },
  "time-limit": { value: "MIN", help: "End after so many minutes, with what was learnt so far" },
  "record-every": {
    value: "N",
    help: "Measure and save after so many photos; default an epoch or more, at most 10,000",
  },
  decode: DECODE_OPTION,
  "out-dtype": { value: "TYPE", help: "The data type of the file: f32 (default), f16, int8" },
  resume: { help: "Go on with an interrupted run of the same photos and options" },
  log: { value: "FILE", help: "Append a JSON line a record" },
  html: { value: "FILE", help: "Write a report with curves" },
  force: FORCE_OPTION,
  json: { help: "Print the result as one line of JSON" },
};

type Values = OptionValues<typeof options>;

/** The shorter side of kept photos, relative to the random views'. */
const KEPT_SIZE = 2;
const MAX_DEFAULT_THREADS = 8;
/** The photos of a contact sheet, and the side of a cell in pixels. */
const SHOWN = 8;
const CELL = 160;
const GAP = 8;

/** `deno task pretrain`: trains a backbone on photos without labels. */
export const pretrain: Command<typeof options> = {
  name: "pretrain",
  usage: "PHOTOS … --out FILE.onnx",
  description: "Pre-trains a backbone on photos without labels, by Masked Siamese Networks.\n" +
    "PHOTOS are folders, image files, or lists: a text file with a path a line, a CSV or JSON lines table.\n" +
    "Labels, from subfolders or a table, serve for monitoring alone: the accuracy of nearest neighbours.\n" +
    "Ctrl-C saves the training beside the output; --resume goes on with it.",
  options,
  examples: [
    ["photos --out backbone.onnx", "Further from the embedded model"],
    ["photos --show-views views.png", "Look at what it would see"],
    [
      "photos --out backbone.onnx --from-scratch --time-limit 60 --html report.html",
      "From new weights, for an hour",
    ],
    ["photos --out backbone.onnx --config msn_vits16.yaml", "The authors' configuration"],
    ["photos --out backbone.onnx --model vits16.pth.tar", "On from the authors' training"],
  ],
  async run(positional, values, terminal) {
    if (positional.length === 0) throw new UsageError("photos are missing: a folder or a list");
    const say = log("pretrain", terminal);
    const config = await readConfig(values, say);
    const given = trainingOptions(values);
    if (values["show-views"] !== undefined) await assertWritable(values["show-views"]);
    const mayTrain = values.out !== undefined || values["show-views"] === undefined;
    const out = mayTrain ? requiredOption("out", values.out) : "";
    const dtype = choiceOption("out-dtype", values["out-dtype"], ["f32", "f16", "int8"]);
    const statePath = trainingFile(out);
    let resume: PretrainState | undefined;
    if (mayTrain) {
      for (const path of [out, values.log, values.html]) {
        if (path !== undefined) await assertWritable(path);
      }
      await assertReplaceable(out, "converted", values.force);
      if (values.resume) resume = await readTraining(statePath, pretrainStateOfTensors);
      else if (!values.force) await assertNoTraining(statePath);
    }
    const start = await pretrainModelOption(values, config, terminal);
    const files = await findPhotos(positional, terminal);
    const { dataset, names } = await readPhotos(files, start, config, given, values, terminal);
    const settings: PretrainOptions = {
      ...given,
      config,
      isFromScratch: start.isFromScratch,
      ...(start.start && !start.isFromScratch ? { start: start.start } : {}),
    };
    if (values["show-views"] !== undefined) {
      const knobs = pretrainSettings(start.model, names.length, settings);
      await writeViews(values["show-views"], dataset, knobs, start, given.seed);
      say(`${values["show-views"]} has the views of ${Math.min(SHOWN, names.length)} photos`);
      if (!mayTrain) return 0;
    }

    const result = await followTraining(
      (signal) => pretrainModel(start.model, dataset, settings, { resume, signal }),
      {
        terminal,
        say,
        statePath,
        isResumed: values.resume,
        stateToTensors: pretrainStateToTensors,
        async onFigures({ record }, save, attempt) {
          if (record.step > 0) await save();
          const { log: path } = values;
          if (path !== undefined) {
            await attempt(() => appendRecord(path, pretrainRecordJson(record)));
          }
          say(recordText(record));
          if (record.alarm !== undefined) say(record.alarm);
        },
        async onResult(result) {
          const { config: json, preprocessorConfig } = start.documents;
          await writeFile(out, writeModelFile(json, preprocessorConfig, result.weights, dtype));
          if (values.html !== undefined) await writeReport(values.html, result, values, terminal);
        },
      },
    );
    if (!result) return 1;
    await removeIfThere(statePath);
    if (result.stopped !== undefined) say(`training ended early: ${result.stopped}`);
    terminal.stdout.write(
      values.json
        ? JSON.stringify(resultJson(result)) + "\n"
        : asCalled(resultText(result, out), terminal),
    );
    return 0;
  },
};

/** The configuration, with the knobs that have options of their own. */
async function readConfig(values: Values, say: (text: string) => void): Promise<MsnConfig> {
  let config: MsnConfig = {};
  if (values.config !== undefined) {
    try {
      const text = new TextDecoder().decode(await readWhole(values.config));
      const read = parseMsnConfig(text);
      config = read.config;
      const isNamed = values.model !== undefined && config.meta?.model_name !== undefined;
      const ignored = [...read.ignored, ...(isNamed ? ["meta.model_name"] : [])];
      if (ignored.length > 0) {
        say(`${values.config}: without effect here: ${ignored.join(", ")}`);
      }
    } catch (error) {
      throw new Error(`${values.config}: ${errorMessage(readErrorMessage(error))}`);
    }
  }
  const epochs = numberOf(values, "epochs", 1, 1e6, true);
  const batch = numberOf(values, "batch-size", 2, 4096, true);
  const lr = numberOf(values, "lr", 0, 1000);
  const drop = numberOf(values, "patch-drop", 0, 0.99);
  return {
    ...config,
    criterion: { ...config.criterion, ...(batch === undefined ? {} : { batch_size: batch }) },
    data: { ...config.data, ...(drop === undefined ? {} : { patch_drop: drop }) },
    optimization: {
      ...config.optimization,
      ...(epochs === undefined ? {} : { epochs }),
      ...(lr === undefined ? {} : { lr }),
    },
  };
}

function numberOf(
  values: Values,
  name: keyof Values & string,
  min: number,
  max: number,
  integer = false,
): number | undefined {
  const value = values[name] as string | undefined;
  if (value === undefined) return undefined;
  return numberOption(name, value, { otherwise: 0, min, max, integer });
}

function trainingOptions(values: Values) {
  const minutes = numberOf(values, "time-limit", 0, 1e7);
  const recordEvery = numberOf(values, "record-every", 1, 1e9, true);
  return {
    seed: numberOf(values, "seed", 0, 2 ** 31 - 1, true) ?? 0,
    threads: numberOf(values, "threads", 1, 64, true) ??
      Math.min(MAX_DEFAULT_THREADS, processors()),
    ...(minutes === undefined ? {} : { timeLimit: 60 * minutes }),
    ...(recordEvery === undefined ? {} : { recordEvery }),
  };
}

async function findPhotos(sources: readonly string[], terminal: Terminal): Promise<PhotoFile[]> {
  const found = await findPretrainingImages(sources, log("pretrain", terminal), urlText);
  for (const { file, error } of found) {
    if (error !== undefined) terminal.stderr.write(`${printable(file)}: ${printable(error)}\n`);
  }
  return found.filter(({ error }) => error === undefined);
}

/** Decodes the photos; those that cannot be read, and copies, are left out. */
async function readPhotos(
  files: readonly PhotoFile[],
  { model }: PretrainModelOption,
  config: MsnConfig,
  { threads }: { readonly threads: number },
  values: Values,
  terminal: Terminal,
): Promise<{ dataset: PretrainDataset; names: readonly string[] }> {
  const processor = new ViTImageProcessor(model.preprocessorConfig);
  const side = config.data?.rand_size ?? Math.max(...model.config.imageSize);
  const progress = new Progress(files.length, terminal.stderr);
  let skipped = 0;
  const images = await trainingImages(files, {
    decoding: decodeOptions(values.decode, processor),
    jobs: threads,
    shortestSide: KEPT_SIZE * side,
    seen: new Map<string, { file: string; label: string | undefined }>(),
    onImage: () => progress.advance(),
    onLeftOut(image) {
      skipped++;
      progress.clear();
      const reason = "error" in image ? image.error : `duplicate of ${image.twin}`;
      terminal.stderr.write(`${printable(image.file)}: ${errorMessage(reason)}\n`);
    },
  });
  progress.clear();
  if (skipped > 0) log("pretrain", terminal)(`${skipped} photos were skipped`);
  const names = new Set(images.labels.filter((label) => label !== undefined));
  const classes = [...names].sort();
  return {
    dataset: {
      labels: images.labels.map((label) =>
        label === undefined ? undefined : classes.indexOf(label)
      ),
      classes,
      digest: images.digest,
      image: images.image,
    },
    names: images.files,
  };
}

/** Writes the views of the first epoch of some photos: a row each, the photo first. */
async function writeViews(
  path: string,
  dataset: PretrainDataset,
  { data, criterion }: MsnSettings,
  { model }: PretrainModelOption,
  seed: number,
): Promise<void> {
  const views = new MsnViews({ ...data, seed }, new ViTImageProcessor(model.preprocessorConfig));
  const [patch] = model.config.patchSize;
  const patches = anchorPatches(data, model.config);
  const kept = views.keptPatches(patches.count, patches.kept, 1);
  const count = Math.min(SHOWN, criterion.batch_size, dataset.labels.length);
  const rows: RawImage[][] = [];
  for (let index = 0; index < count; index++) {
    const image = await dataset.image(index);
    const { target, random, focal } = views.imagesOf(image, index, 1);
    rows.push([
      image,
      target,
      ...random.map((view) => greyOutPatches(view, patch, kept)),
      ...focal,
    ]);
  }
  await writeFile(path, [await writePng(contactSheet(rows, { cell: CELL, gap: GAP }))]);
}

function recordText(record: PretrainRecord): string {
  const { images, loss, knnAccuracy, guessing, effectiveRank, largestRank } = record;
  const parts = [
    ...(loss === undefined ? [] : [`loss ${lossText(loss)}`]),
    ...(knnAccuracy === undefined
      ? []
      : [`nearest neighbours ${percent(knnAccuracy)} (guessing ${percent(guessing!)})`]),
    `effective rank ${effectiveRank.toFixed(1)} of ${largestRank}`,
    ...(record.prototypesInUse === undefined
      ? []
      : [`${record.prototypesInUse} of ${record.prototypes} prototypes in use`]),
    ...(record.targetEntropy === undefined
      ? []
      : [`target entropy ${record.targetEntropy.toFixed(2)}`]),
  ];
  return `${images} photos seen: ${parts.join(", ")}`;
}

function resultText({ records }: PretrainResult, out: string): string {
  const [first, last] = [records[0]!, records.at(-1)!];
  const lines = [
    `${last.images} photos seen in ${last.step} ${last.step === 1 ? "step" : "steps"}.`,
    ...(last.knnAccuracy === undefined ? [] : [
      `Nearest neighbours: ${percent(last.knnAccuracy)} right, ` +
      `${percent(first.knnAccuracy!)} before.`,
    ]),
    `Effective rank: ${last.effectiveRank.toFixed(1)}, ${first.effectiveRank.toFixed(1)} before.`,
    ...(last.alarm === undefined ? [] : [`${last.alarm}.`]),
    `${printable(out)}: deno task fit PHOTOS --model ${commandLine([out])} --out my.onnx`,
  ];
  return lines.join("\n") + "\n";
}

function resultJson({ settings, records, stopped }: PretrainResult): Record<string, unknown> {
  return {
    ...(stopped === undefined ? {} : { stopped }),
    settings,
    records: records.map(pretrainRecordJson),
  };
}

async function writeReport(
  path: string,
  { settings, records, stopped }: PretrainResult,
  values: Values,
  terminal: Terminal,
): Promise<void> {
  const knobs = Object.entries(settings).flatMap(([section, knobs]) =>
    Object.entries(knobs).map(([name, value]): [string, string] => [
      `${section}.${name}`,
      String(value),
    ])
  );
  const html = await pretrainHtml({
    title: `Pre-training: ${values.out}`,
    summary: [["Start", values.model ?? "the embedded model"], ...knobs],
    records,
    command: terminal.invocation,
    warning: stopped === undefined ? undefined : `Training ended early: ${stopped}.`,
  });
  await writeFile(path, [new TextEncoder().encode(html)]);
}

if (import.meta.main) await main(pretrain);
