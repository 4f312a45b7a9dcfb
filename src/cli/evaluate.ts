import type { LabelledImage } from "../dataset/image_files.ts";
import type { FoundFeatures } from "../dataset/labelled_features.ts";
import type { FoundLogits } from "../dataset/labelled_logits.ts";
import { evaluateLogits } from "../heads/evaluate/evaluate.ts";
import { evaluateShots, type ShotsEvaluation } from "../heads/evaluate/evaluate_shots.ts";
import { UNKNOWN } from "../heads/head.ts";
import type { ViTMSNForImageClassification } from "../model/vit_msn_model.ts";
import { softmax } from "../tensor/softmax.ts";
import { topK } from "../tensor/top_k.ts";
import {
  choiceOption,
  type Command,
  numberOption,
  onlyArgument,
  type Options,
  type OptionValues,
  UsageError,
} from "./command.ts";
import { evaluationJson, evaluationText } from "./output/evaluation_text.ts";
import { FIT_OPTIONS, fitOptions, METHOD_CHOICES } from "./options/fit_option.ts";
import {
  findPhotos,
  PHOTO_OPTIONS,
  photoFeatures,
  type PhotoJob,
  photoLogits,
} from "./options/labelled_photos.ts";
import { guessingText } from "./output/guessing_text.ts";
import { main } from "./main.ts";
import { HEAD_OPTION, MODEL_OPTIONS, openModelOption } from "./options/model_option.ts";
import { percent } from "../heads/evaluate/percent.ts";
import { reportHtml, type WrongImage } from "./output/report_html.ts";
import { jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { thumbnails } from "../dataset/thumbnails.ts";
import { log } from "./output/log.ts";
import { writeFile } from "../hub/write_file.ts";

const FIT_OPTIONS_OF_SHOTS = {
  lambd: { ...FIT_OPTIONS.lambd, help: `With --shots: ${FIT_OPTIONS.lambd.help}` },
  "class-weight": {
    ...FIT_OPTIONS["class-weight"],
    help: `With --shots: ${FIT_OPTIONS["class-weight"].help}`,
  },
  augment: { help: `With --shots and --support: ${FIT_OPTIONS.augment.help}` },
  seed: { ...FIT_OPTIONS.seed, help: `With --shots: ${FIT_OPTIONS.seed.help}` },
} as const satisfies Options;

const options = {
  ...MODEL_OPTIONS,
  ...HEAD_OPTION,
  ...RUNTIME_OPTIONS,
  shots: {
    value: "N,N",
    help: "Evaluate heads fitted on N photos a class, for each N, such as 1,2,5",
  },
  splits: {
    value: "N",
    help: "With --shots: the number of random draws of these photos; default 10",
  },
  support: {
    value: "PHOTOS",
    help:
      "With --shots: draw them from these photos and evaluate on PHOTOS; default is to draw from " +
      "PHOTOS and evaluate on the rest",
  },
  method: {
    value: "M,M",
    help: "With --shots: auto (default), logistic, prototypes, knn, ridge, or a list of them",
  },
  ...FIT_OPTIONS_OF_SHOTS,
  html: { value: "FILE", help: "Write a self-contained HTML report with plots" },
  ...PHOTO_OPTIONS,
  json: { help: "Print JSON lines" },
};

type Values = OptionValues<typeof options>;

/** `deno task evaluate`: measures the accuracy and calibration of a classifier. */
export const evaluate: Command<typeof options> = {
  name: "evaluate",
  usage: "PHOTOS",
  description:
    "Measures a classifier on labelled photos: accuracy, calibration and confusion matrix. With\n" +
    "--shots, measures the accuracy of heads fitted on a few photos a class.\n" +
    "PHOTOS is a folder with one subfolder per class, or a CSV or JSON lines table with path and label.",
  options,
  examples: [
    ["test-photos --model my.onnx --html report.html", "A fitted model"],
    ["test-photos --model my.onnx --jobs 4", "On four cores"],
    ["photos --shots 1,2,5 --splits 10", "The accuracy to expect from few photos"],
    ["test-photos --support photos --shots 5 --method auto,logistic", "Compare methods"],
  ],
  async run(positional, values, terminal) {
    const source = onlyArgument(positional, "folder or table of photos");
    const run = values.shots === undefined ? prepareModel(values) : prepareShots(values);
    jobsOption(values); // checked before any photo is read
    const images = await findPhotos(source, "evaluate", terminal);
    const opened = await openModelOption(values, terminal);
    await using _model = opened.model;
    await run({ name: "evaluate", images, opened, values, terminal });
    return 0;
  },
};

interface Job extends PhotoJob {
  readonly images: readonly LabelledImage[];
  readonly values: Values;
}

/** Checks the options before any file is read. */
function prepareModel(values: Values): (job: Job) => Promise<void> {
  for (const name of ["splits", "support", "method", "lambd", "class-weight", "seed"] as const) {
    if (values[name] !== undefined) {
      throw new UsageError(`--${name} requires --shots`);
    }
  }
  if (values.augment) throw new UsageError("--augment requires --shots");
  return evaluateModel;
}

async function evaluateModel(job: Job): Promise<void> {
  const { images, opened: { model }, values, terminal } = job;
  const warn = log("evaluate", terminal);
  if (!model.defaultOutputs.includes("logits")) {
    throw new Error(
      "the model is a backbone without a classifier: fit one with `deno task fit`, or " +
        "measure few-shot accuracy with --shots",
    );
  }
  if (model.config.problemType === "regression") {
    throw new Error(
      "the model outputs regression values, not labels, so there is no accuracy to measure",
    );
  }
  const labels = model.config.id2label;
  const known = images.filter(({ label }) => labels.includes(label));
  const strange = images.filter(({ label }) => !labels.includes(label));
  if (known.length === 0) {
    throw new Error(`no photo has a label that the model knows: ${labels.join(", ")}`);
  }
  if (strange.length > 0) {
    const names = [...new Set(strange.map(({ label }) => label))].join(", ");
    warn(`${strange.length} photos have labels that the model does not know: ${names}`);
  }
  const found = await logitsOf(known, job);
  const temperature = model.head?.parameters.settings.temperature;
  const evaluation = evaluateLogits(found.logits, found.labels, labels, temperature);
  const unknown = await rejections(found, strange, job);
  // With one label, guessing is always right.
  const guessing = labels.length > 1 ? guessingText(evaluation.guessing, "others") : undefined;
  if (values.html !== undefined) {
    const wrong = wrongImages(found, labels).slice(0, MAX_THUMBNAILS);
    const small = await thumbnails(wrong.map(({ file }) => file), jobsOption(values));
    const html = await reportHtml(evaluation, {
      wrong: wrong.map((image, i) => ({ ...image, thumbnail: small[i]! })),
      model: modelName(values),
      command: terminal.invocation,
      warning: guessing,
    });
    await writeFile(values.html, [new TextEncoder().encode(html)]);
  }
  terminal.stdout.write(
    values.json
      ? JSON.stringify({ ...evaluationJson(evaluation), skipped: found.skipped, ...unknown }) + "\n"
      : evaluationText(evaluation, terminal.stdout) + unknownText(unknown),
  );
  if (guessing !== undefined) warn(guessing);
}

/** The most wrong images that a report shows. */
const MAX_THUMBNAILS = 24;

/** The classifier's name in a report. */
function modelName({ model, head }: Values): string {
  return `${model ?? "the embedded model"}${head === undefined ? "" : `, head ${head}`}`;
}

/** Computes the logits; with a head, also returns the features. */
async function logitsOf(
  images: readonly LabelledImage[],
  job: Job,
): Promise<FoundLogits & Partial<FoundFeatures>> {
  const { model } = job.opened;
  if (!model.head) return await photoLogits(images, model as ViTMSNForImageClassification, job);
  const found = await photoFeatures(images, job);
  return { ...found, logits: model.head.logits(found.features) };
}

/** The shares of photos labelled unknown: of the model's classes, and of other classes. */
async function rejections(
  known: Partial<FoundFeatures>,
  strange: readonly LabelledImage[],
  job: Job,
): Promise<{ unknown?: { false_rejection_rate: number; others?: number } }> {
  const { head } = job.opened.model;
  if (!head?.parameters.settings.unknown || !known.features) return {};
  const share = (features: readonly Float32Array[]) => {
    const labels = head.predict(features, { topK: 1, unknown: true });
    return labels.filter((list) => list.length > 1 && list[0]!.label === UNKNOWN).length /
      labels.length;
  };
  const rate = share(known.features);
  if (strange.length === 0) return { unknown: { false_rejection_rate: rate } };
  const others = await photoFeatures(strange, job);
  return { unknown: { false_rejection_rate: rate, others: share(others.features) } };
}

function unknownText({ unknown }: Awaited<ReturnType<typeof rejections>>): string {
  if (!unknown) return "";
  const { false_rejection_rate: rate, others } = unknown;
  return `\nLabelled unknown: ${percent(rate)} of these photos` +
    (others === undefined ? "\n" : `, ${percent(others)} of the photos of other classes\n`);
}

/** The misclassified images, highest score first. */
function wrongImages(
  { logits, files, labels: truths }: FoundLogits,
  labels: readonly string[],
): WrongImage[] {
  return logits.flatMap((row, i) => {
    const [best] = topK(row, 1) as [number];
    const score = softmax(row)[best]!;
    const wrong = { file: files[i]!, label: truths[i]!, guess: labels[best]!, score };
    return wrong.guess === wrong.label ? [] : [wrong];
  }).sort((a, b) => b.score - a.score);
}

/** Checks the options before any file is read. */
function prepareShots(values: Values): (job: Job) => Promise<void> {
  if (values.html !== undefined) throw new UsageError("--html cannot be used with --shots");
  if (values.head !== undefined) throw new UsageError("--head cannot be used with --shots");
  const shots = values.shots!.split(",").map((value) =>
    numberOption("shots", value, { otherwise: 1, min: 1, integer: true })
  );
  const splits = numberOption("splits", values.splits, {
    otherwise: 10,
    min: 1,
    max: 1000,
    integer: true,
  });
  const methods = (values.method ?? "auto").split(",").map((method) =>
    choiceOption("method", method, METHOD_CHOICES)
  );
  const fitting = methods.map((method) => ({ method, ...fitOptions(values, method) }));
  return async (job) => {
    const { images, values, terminal } = job;
    const { augment } = values;
    const support = values.support === undefined
      ? images
      : await findPhotos(values.support, "evaluate", terminal);
    if (values.support === undefined && augment) {
      throw new UsageError(
        "--augment requires --support: the photos of PHOTOS are evaluated without augmentation",
      );
    }
    const from = await photoFeatures(support, job, { augment });
    const query = values.support === undefined ? undefined : await photoFeatures(images, job);
    if (!values.json) terminal.stdout.write(shotsHeader);
    for (const options of fitting) {
      for (const count of shots) {
        const result = evaluateShots(from, { ...options, shots: count, splits }, query);
        terminal.stdout.write(
          values.json ? shotsJson(options.method, result) : shotsRow(options.method, result),
        );
      }
    }
  };
}

const shotsHeader = "method      shots  accuracy  95 % interval\n";

function shotsRow(
  method: string,
  { shots, accuracy, confidenceInterval, chance }: ShotsEvaluation,
): string {
  const [low, high] = confidenceInterval.map(percent);
  const isBetter = confidenceInterval[0] > chance;
  return `${method.padEnd(10)}  ${String(shots).padStart(5)}  ${
    percent(accuracy).padStart(8)
  }  ${low} to ${high}${isBetter ? "" : `  no better than guessing, ${percent(chance)}`}\n`;
}

function shotsJson(
  method: string,
  { shots, accuracies, accuracy, confidenceInterval, chance }: ShotsEvaluation,
): string {
  const line = {
    method,
    shots,
    accuracy,
    confidence_interval: confidenceInterval,
    chance,
    better_than_guessing: confidenceInterval[0] > chance,
    accuracies,
  };
  return JSON.stringify(line) + "\n";
}

if (import.meta.main) await main(evaluate);
