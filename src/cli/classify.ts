import { type Command, numberOption, UsageError } from "./command.ts";
import { DECODE_OPTION, decodeOptions } from "./options/decode_option.ts";
import { eachImage } from "./output/each_image.ts";
import { KEEP_OPTIONS, keepOptions } from "./options/keep_option.ts";
import { labelTable } from "./output/label_table.ts";
import { main } from "./main.ts";
import { HEAD_OPTION, loadClassifierOption, MODEL_OPTIONS } from "./options/model_option.ts";
import { JOBS_OPTION, jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";

const options = {
  ...MODEL_OPTIONS,
  ...HEAD_OPTION,
  ...RUNTIME_OPTIONS,
  ...JOBS_OPTION,
  "top-k": { value: "K", help: "Print the K best labels; default 5" },
  threshold: { value: "T", help: "Print only labels with a score of at least T, 0 to 1" },
  unknown: {
    help: "Label images of no known class as unknown; requires a model made by `deno task fit`",
  },
  ...KEEP_OPTIONS,
  decode: DECODE_OPTION,
  json: { help: "Print JSON lines: {file, labels: [{label, score}]} or {file, error}" },
};

/** `deno task classify`: prints the labels of images. */
export const classify: Command<typeof options> = {
  name: "classify",
  usage: "<image|folder|glob|-> …",
  description:
    "Classifies images: JPEG, PNG, GIF or WebP files, folders of them, or standard input.",
  options,
  examples: [
    ["photo.jpg", "One photo"],
    ["photos 'more/*.png' --top-k 1", "All images in a folder and all that match a pattern"],
    ["--json photos > labels.jsonl", "JSON lines for other programs"],
    ["- < photo.jpg", "Standard input"],
    ["photos --keep-patches 0.5", "Use half of each image's patches, in about half the time"],
  ],
  async run(args, values, terminal) {
    const topK = numberOption("top-k", values["top-k"], { otherwise: 5, min: 1, integer: true });
    const threshold = values.threshold === undefined ? {} : {
      threshold: numberOption("threshold", values.threshold, { otherwise: 0, min: 0, max: 1 }),
    };
    const keep = keepOptions(values);
    const { unknown } = values;
    const jobs = jobsOption(values);
    await using model = await loadClassifierOption(values, terminal);
    if (unknown && !model.head?.parameters.settings.unknown) {
      throw new Error(
        "--unknown: the model has no rule for unknown images; fit one with `deno task fit`",
      );
    }
    const areValues = model.config.problemType === "regression";
    if (areValues && values.threshold !== undefined) {
      throw new UsageError(
        "--threshold requires scores from 0 to 1, but the model outputs regression values",
      );
    }
    const decoding = decodeOptions(values.decode, model.processor);
    return await eachImage(args, terminal, {
      name: "classify",
      decoding,
      json: values.json,
      jobs,
      compute: (images) => model.classify(images, { topK, ...threshold, unknown, ...keep }),
      format: (file, labels) =>
        values.json
          ? JSON.stringify({ file, labels }) + "\n"
          : labelTable(file, labels, terminal.stdout, { areValues }),
    });
  },
};

if (import.meta.main) await main(classify);
