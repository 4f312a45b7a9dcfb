import { findPretrainingImages } from "../dataset/photo_sources.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { readWhole } from "../hub/read_whole.ts";
import { writeFile } from "../hub/write_file.ts";
import { parseMsnConfig } from "../train/msn/msn_config.ts";
import type { MsnConfig } from "../train/msn/msn_settings.ts";
import { pretrain as pretrainModel, pretrainSettings } from "../train/msn/pretrain.ts";
import type { PretrainDataset, PretrainResult } from "../train/msn/pretrain_events.ts";
import type { PretrainOptions } from "../train/msn/pretrain_options.ts";
import { pretrainStateOfTensors, pretrainStateToTensors } from "../train/msn/pretrain_state.ts";
import { writeModelFile } from "../vit_msn/model_file.ts";
import {
  asCalled,
  choiceOption,
  type Command,
  errorMessage,
  type OptionValues,
  requiredOption,
  UsageError,
} from "./command.ts";
import { main } from "./main.ts";
import { assertWritable } from "./options/assert_writable.ts";
import { MODEL_OPTIONS } from "./options/model_option.ts";
import { pretrainModel as pretrainModelOption } from "./options/pretrain_model.ts";
import { openTraining, trainingFile } from "./options/training_file.ts";
import { givenNumber, TRAINING_OPTIONS, trainingOptions } from "./options/training_options.ts";
import { readTrainingPhotos, type TrainingPhotosJob } from "./options/training_photos.ts";
import { urlText } from "./options/url_argument.ts";
import { followTraining } from "./output/follow_training.ts";
import { log } from "./output/log.ts";
import { pretrainHtml } from "./output/pretrain_html.ts";
import { pretrainRecordJson } from "./output/pretrain_log.ts";
import { pretrainJson, pretrainText, recordText } from "./output/pretrain_text.ts";
import { printable } from "./output/printable.ts";
import type { Terminal } from "./output/terminal.ts";
import { appendRecord } from "./output/training_log.ts";
import { writeViews } from "./output/write_views.ts";

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
  "record-every": {
    value: "N",
    help: "Measure and save after so many photos; default an epoch or more, at most 10,000",
  },
  ...TRAINING_OPTIONS,
  log: { value: "FILE", help: "Append a JSON line a record" },
};

type Values = OptionValues<typeof options>;

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
    const recordEvery = givenNumber(values, "record-every", 1, 1e9, true);
    const given = {
      ...trainingOptions(values),
      ...(recordEvery === undefined ? {} : { recordEvery }),
    };
    if (values["show-views"] !== undefined) await assertWritable(values["show-views"]);
    const mayTrain = values.out !== undefined || values["show-views"] === undefined;
    const out = mayTrain ? requiredOption("out", values.out) : "";
    const dtype = choiceOption("out-dtype", values["out-dtype"], ["f32", "f16", "int8"]);
    const resume = mayTrain
      ? await openTraining(out, "converted", values, pretrainStateOfTensors)
      : undefined;
    const start = await pretrainModelOption(values, config, terminal);
    const side = config.data?.rand_size ?? Math.max(...start.model.config.imageSize);
    const dataset = await readPhotos(positional, side, {
      name: "pretrain",
      preprocessorConfig: start.model.preprocessorConfig,
      decode: values.decode,
      threads: given.threads,
      terminal,
    });
    const settings: PretrainOptions = {
      ...given,
      config,
      isFromScratch: start.isFromScratch,
      ...(start.start && !start.isFromScratch ? { start: start.start } : {}),
    };
    if (values["show-views"] !== undefined) {
      const knobs = pretrainSettings(start.model, dataset.labels.length, settings);
      const path = values["show-views"];
      const shown = await writeViews(path, dataset, knobs, start.model, given.seed);
      say(`${path} has the views of ${shown} ${shown === 1 ? "photo" : "photos"}`);
      if (!mayTrain) return 0;
    }

    const result = await followTraining(
      (signal) => pretrainModel(start.model, dataset, settings, { resume, signal }),
      {
        terminal,
        say,
        statePath: trainingFile(out),
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
    terminal.stdout.write(
      values.json
        ? JSON.stringify(pretrainJson(result)) + "\n"
        : asCalled(pretrainText(result, out), terminal),
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
  const epochs = givenNumber(values, "epochs", 1, 1e6, true);
  const batch = givenNumber(values, "batch-size", 2, 4096, true);
  const lr = givenNumber(values, "lr", 0, 1000);
  const drop = givenNumber(values, "patch-drop", 0, 0.99);
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

/** Finds and decodes the photos; those that cannot be read, and copies, are left out. */
async function readPhotos(
  sources: readonly string[],
  viewSide: number,
  job: TrainingPhotosJob,
): Promise<PretrainDataset> {
  const { name, terminal } = job;
  const found = await findPretrainingImages(sources, log(name, terminal), urlText);
  for (const { file, error } of found) {
    if (error !== undefined) terminal.stderr.write(`${printable(file)}: ${printable(error)}\n`);
  }
  const photos = found.filter(({ error }) => error === undefined);
  const [images] = await readTrainingPhotos([{ photos, viewSide }], job);
  const { labels, digest, image } = images!;
  const classes = [...new Set(labels.filter((label) => label !== undefined))].sort();
  return {
    labels: labels.map((label) => label === undefined ? undefined : classes.indexOf(label)),
    classes,
    digest,
    image,
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
