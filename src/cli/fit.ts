import { concat } from "@std/bytes/concat";
import { dirname } from "@std/path";
import type { FoundFeatures } from "../dataset/labelled_features.ts";
import { extendHead, type Extension } from "../heads/fit/add_to_head.ts";
import { fitHead, type FitReport } from "../heads/fit/fit_head.ts";
import type { Head } from "../heads/head.ts";
import { writeHeadFile } from "../vit_msn/head/head_file.ts";
import { writeModelWithHead } from "../vit_msn/model_file.ts";
import {
  asCalled,
  choiceOption,
  type Command,
  numberOption,
  onlyArgument,
  type OptionValues,
  UsageError,
} from "./command.ts";
import { commandLine } from "./output/command_line.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { FIT_OPTIONS, fitOptions, METHOD_CHOICES } from "./options/fit_option.ts";
import { fitJson, fitText } from "./output/fit_text.ts";
import { guessingText } from "./output/guessing_text.ts";
import { findPhotos, PHOTO_OPTIONS, photoFeatures } from "./options/labelled_photos.ts";
import { main } from "./main.ts";
import { MODEL_OPTIONS, type OpenedModel, openModelOption } from "./options/model_option.ts";
import { assertReplaceable, FORCE_OPTION } from "./options/overwrite.ts";
import { printable } from "./output/printable.ts";
import { jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import type { Terminal } from "./output/terminal.ts";
import { log } from "./output/log.ts";
import { writeFile } from "../hub/write_file.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write, with backbone and head" },
  "head-only": {
    value: "FILE",
    help: "The ONNX file to write with only the head, a few kilobytes",
  },
  add: {
    value: "PHOTOS",
    help: "Add these photos and their classes to the head of --model; replaces the file",
  },
  ...MODEL_OPTIONS,
  head: { value: "FILE", help: "With --add: the head file to extend, on top of --model" },
  ...RUNTIME_OPTIONS,
  method: {
    value: "M",
    help: "auto: the best by cross-validation (default); logistic, prototypes, knn, ridge",
  },
  ...FIT_OPTIONS,
  unknown: {
    value: "R",
    help: "The share of known-class photos that may be labelled unknown; default 0.05",
  },
  "keep-features": {
    help: "Store the photos' features in the file, so that --add can refit the head later",
  },
  ...PHOTO_OPTIONS,
  force: FORCE_OPTION,
  json: { help: "Print the result as one line of JSON" },
};

type Values = OptionValues<typeof options>;

/** `deno task fit`: fits a classifier on a few photos a class. */
export const fit: Command<typeof options> = {
  name: "fit",
  usage: "PHOTOS --out FILE.onnx",
  description: "Fits a classifier on a few photos a class, using the features of a backbone.\n" +
    "PHOTOS is a folder with one subfolder per class, named after it, or a CSV or JSON lines table\n" +
    "with path and label.",
  options,
  examples: [
    ["photos --out my.onnx", "On the embedded backbone"],
    ["photos --model vit-msn-small.onnx --out my.onnx", "On a larger backbone"],
    ["photos --out my.onnx --jobs 4", "On four cores"],
    ["photos --model vit-msn-small.onnx --head-only head.onnx", "Only the head, for `--head`"],
    ["--add more --model my.onnx", "Add photos or classes to a fitted model"],
  ],
  async run(positional, values, terminal) {
    jobsOption(values); // checked before any photo is read
    if (values.add !== undefined) return await add(positional, values.add, values, terminal);
    const source = onlyArgument(positional, "folder or table of photos");
    if (values.head !== undefined) throw new UsageError("--head requires --add");
    const outputs = [values.out, values["head-only"]].filter((path) => path !== undefined);
    if (outputs.length === 0) throw new UsageError("--out is missing; give --out or --head-only");
    const method = choiceOption("method", values.method, METHOD_CHOICES);
    const falseRejectionRate = numberOption("unknown", values.unknown, {
      otherwise: 0.05,
      min: 0,
      max: 0.99,
    });
    const fitting = {
      ...fitOptions(values, method),
      falseRejectionRate,
      keepFeatures: values["keep-features"],
    };
    for (const path of outputs) await assertFolder(path);
    await assertTargets(values, values.force);
    const images = await findPhotos(source, "fit", terminal);
    const opened = await openModelOption(values, terminal);
    await using _model = opened.model;
    const found = await photoFeatures(images, { name: "fit", opened, values, terminal }, values);
    const { head, report } = fitHead(found, fitting);
    await write(head, opened, values);
    terminal.stdout.write(
      values.json
        ? JSON.stringify(fitJson(head, report, found.skipped)) + "\n"
        : asCalled(fitText(head, report) + written(values), terminal),
    );
    warnOfGuessing(report, terminal);
    return 0;
  },
};

/** Adds photos to the head of a file. */
async function add(
  positional: readonly string[],
  source: string,
  values: Values,
  terminal: Terminal,
): Promise<number> {
  if (positional.length > 0) {
    throw new UsageError(`unexpected argument ${positional[0]}: --add names the photos`);
  }
  for (const name of ["method", "lambd", "unknown"] as const) {
    if (values[name] === undefined) continue;
    throw new UsageError(`--${name} is ${values[name]}, but --add keeps the head's own setting`);
  }
  if (values["keep-features"]) {
    throw new UsageError(
      "--keep-features cannot be used with --add, which keeps features only if the file has them",
    );
  }
  if (values.model === undefined && values.head === undefined) {
    throw new UsageError("--add requires --model or --head");
  }
  const opened = await openModelOption(values, terminal);
  await using model = opened.model;
  const { head } = model;
  if (!head) throw new Error(`${values.model}: its classifier was not made by \`deno task fit\``);
  const target = values.head === undefined
    ? { out: values.out ?? values.model, "head-only": values["head-only"] }
    : { out: values.out, "head-only": values["head-only"] ?? values.head };
  for (const path of Object.values(target)) if (path !== undefined) await assertFolder(path);
  await assertTargets(target, values.force);
  const images = await findPhotos(source, "fit", terminal);
  const found = await photoFeatures(images, { name: "fit", opened, values, terminal }, values);
  const { seed = 0, classWeight = "balanced" } = fitOptions(values, "auto");
  const rate = head.parameters.settings.unknown?.falseRejectionRate;
  const extension = extendHead(head, found, {
    seed,
    classWeight,
    ...(rate === undefined ? {} : { falseRejectionRate: rate }),
  });
  sayWhatIsIn(extension, found, terminal);
  const { head: more, report, already } = extension;
  if (more !== head) await write(more, opened, target);
  const { labels, counts } = more.parameters.settings;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const json = { labels, counts, skipped: found.skipped, already: already.length };
  const now = `Now ${labels.length} classes from ${total} photos.\n`;
  terminal.stdout.write(
    values.json
      ? JSON.stringify(report ? { ...fitJson(more, report, found.skipped), ...json } : json) + "\n"
      : more === head
      ? "No new photos: no file written.\n"
      : asCalled(now + (report ? fitText(more, report) : "") + written(target), terminal),
  );
  if (report) warnOfGuessing(report, terminal);
  return 0;
}

/** The most file names that a message lists. */
const MAX_NAMES = 10;

/** Reports the photos that the head already contains. */
function sayWhatIsIn(
  { already, knowsImages }: Extension,
  { files, labels }: FoundFeatures,
  terminal: Terminal,
): void {
  const warn = log("fit", terminal);
  if (!knowsImages) {
    warn(
      "the file does not record which photos it was fitted on: any that are added again count " +
        "twice",
    );
  }
  if (already.length === 0) return;
  const names = already.slice(0, MAX_NAMES).map(({ index, label }) =>
    files[index]! + (label === labels[index] ? "" : ` (as ${label}, which is kept)`)
  );
  const more = already.length > MAX_NAMES ? ` and ${already.length - MAX_NAMES} more` : "";
  warn(
    `${already.length} of ${files.length} photos are already in the file and were skipped: ` +
      `${names.join(", ")}${more}`,
  );
}

/** Warns on stderr, with --json too, that the classifier is no better than guessing. */
function warnOfGuessing({ guessing }: FitReport, terminal: Terminal): void {
  const text = guessing && guessingText(guessing, "left out");
  if (text !== undefined) log("fit", terminal)(text);
}

/** Checks that the output folder exists, before the work rather than after it. */
async function assertFolder(path: string): Promise<void> {
  try {
    await Deno.stat(dirname(path));
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "its folder does not exist"
      : readErrorMessage(error);
    throw new Error(`Cannot write ${path}: ${reason}`);
  }
}

/** The output paths, by option name. */
type Targets = Partial<Record<"out" | "head-only", string | undefined>>;

async function assertTargets(
  { out, "head-only": headOnly }: Targets,
  force: boolean,
): Promise<void> {
  if (out !== undefined) await assertReplaceable(out, "fitted", force);
  if (headOnly !== undefined) await assertReplaceable(headOnly, "head", force);
}

async function write(
  { parameters }: Head,
  { file, head: given }: OpenedModel,
  targets: Targets,
): Promise<void> {
  if (targets.out !== undefined) {
    // Concatenated first, because the pieces may be views of the very file being overwritten.
    await writeFile(targets.out, [concat(writeModelWithHead(file, parameters))]);
  }
  if (targets["head-only"] !== undefined) {
    // Never undefined: a head is fitted on features, which require a layerNorm.
    const layerNorm = (file.layerNorm ?? given?.layerNorm)!;
    await writeFile(targets["head-only"], writeHeadFile({ head: parameters, layerNorm }));
  }
}

function written(targets: Targets): string {
  const { out, "head-only": headOnly } = targets;
  return [
    ...(out === undefined
      ? []
      : [`${out}: deno task classify photo.jpg --model ${commandLine([out])}`]),
    ...(headOnly === undefined
      ? []
      : [`${headOnly}: deno task classify photo.jpg --model … --head ${commandLine([headOnly])}`]),
  ].map((line) => printable(line) + "\n").join("");
}

if (import.meta.main) await main(fit);
