import { readImageFile } from "../dataset/read_image_file.ts";
import { writeFile } from "../hub/write_file.ts";
import { decodeImage } from "../image/decode_image.ts";
import { DEFAULT_IMAGE_LIMITS } from "../image/image_header.ts";
import type { RawImage } from "../image/raw_image.ts";
import { writePng } from "../image/write_png.ts";
import { attentionJson } from "../model/attention/attention_json.ts";
import {
  type AttentionChoice,
  type AttentionMap,
  attentionMap,
} from "../model/attention/attention_map.ts";
import { computeAttentions } from "../model/attention/compute_attentions.ts";
import type { ImageAttentions } from "../model/attention/image_attentions.ts";
import { overlayAttention } from "../model/attention/overlay_attention.ts";
import type { ViTMSNModel } from "../model/vit_msn_model.ts";
import {
  choiceOption,
  type Command,
  errorMessage,
  numberOption,
  onlyArgument,
  UsageError,
} from "./command.ts";
import { main } from "./main.ts";
import { assertWritable } from "./options/assert_writable.ts";
import { DECODE_OPTION, decodeOptions } from "./options/decode_option.ts";
import { KEEP_OPTIONS, keepOptions } from "./options/keep_option.ts";
import { loadModelOption, MODEL_OPTIONS } from "./options/model_option.ts";
import { RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { urlText } from "./options/url_argument.ts";
import { labelTable } from "./output/label_table.ts";
import { DENO_TASK } from "./program.ts";

const options = {
  out: {
    value: "FILE",
    help: "The PNG file to write: the photo under the map; required without --json",
  },
  ...MODEL_OPTIONS,
  head: {
    value: "H",
    help: "The head, from 0, or mean: the mean of all heads (default)",
  },
  layer: {
    value: "L",
    help: "The block, from 0; --layer=-2 is the last but one; default is the last",
  },
  rollout: {
    help: "Show how much of each patch arrives in CLS through all blocks up to --layer, by " +
      "attention rollout",
  },
  threshold: {
    value: "T",
    help: "Show only the patches that keep this share of the attention, above 0 and up to 1",
  },
  size: {
    value: "S",
    help: "original: draw on the whole photo (default); model: on what the model sees of it",
  },
  resampling: {
    value: "R",
    help: "bilinear: interpolate between patches (default); nearest: show each patch alone",
  },
  ...KEEP_OPTIONS,
  ...RUNTIME_OPTIONS,
  decode: DECODE_OPTION,
  json: {
    help: "Print {file, rows, columns, layer, head, rollout, weights, mask, box, labels}, or " +
      "{file, error}",
  },
};

/** `deno task attention`: shows where the model looks. */
export const attention: Command<typeof options> = {
  name: "attention",
  usage: "PHOTO|- --out FILE.png",
  description: "Shows where the model looks on a photo: the attention of its CLS token to each " +
    "patch, as colours from black, the least, to pale yellow.",
  options,
  examples: [
    ["photo.jpg --out map.png", "The mean of the heads of the last block"],
    ["photo.jpg --out map.png --head 2 --threshold 0.6", "One head, as in the figures of DINO"],
    ["photo.jpg --out map.png --rollout --model my.onnx", "Through all blocks, of your own model"],
    ["photo.jpg --json --keep-patches 0.5", "The weights of half of the patches, as JSON"],
    ["- --out map.png < photo.jpg", "Standard input"],
  ],
  async run(positional, values, terminal) {
    const file = onlyArgument(positional, "photo");
    const { out, json, rollout } = values;
    if (out === undefined && !json) throw new UsageError("--out is missing");
    if (out !== undefined && out === file) {
      throw new UsageError("--out is the photo itself; choose another name");
    }
    const size = choiceOption("size", values.size, ["original", "model"]);
    const resampling = choiceOption("resampling", values.resampling, ["bilinear", "nearest"]);
    const threshold = thresholdOption(values.threshold);
    const keep = keepOptions(values);
    if (rollout && values.head !== undefined && values.head !== "mean") {
      throw new UsageError("--head does not go with --rollout, which takes the mean of the heads");
    }
    if (out !== undefined) await assertWritable(out);
    await using model = await loadModelOption(values, terminal);
    const choice = { ...choiceOf(values, model), rollout, ...threshold };
    const { stdin, stdout, program = DENO_TASK } = terminal;
    let photo: RawImage;
    let attentions: ImageAttentions;
    try {
      const { maxBytes } = DEFAULT_IMAGE_LIMITS;
      const explain = (path: string) => urlText(path, `${program} attention - --out map.png`);
      const bytes = await readImageFile({ file }, stdin, maxBytes, explain);
      photo = await decodeImage(bytes, decodeOptions(values.decode, model.processor));
      attentions = await computeAttentions(model, photo, keep);
    } catch (error) {
      const message = errorMessage(error);
      if (json) stdout.write(JSON.stringify({ file, error: message }) + "\n");
      throw new Error(`${file}: ${message}`);
    }
    const map = attentionMap(attentions, choice);
    if (out !== undefined) {
      const [image, drawn] = size === "model" ? asSeen(model, photo, map) : [photo, map];
      await writeFile(out, [await writePng(overlayAttention(image, drawn, { resampling }))]);
    }
    const { labels } = attentions;
    if (json) {
      const document = { file, ...attentionJson(map), ...(labels ? { labels } : {}) };
      stdout.write(JSON.stringify(document) + "\n");
    } else if (labels) {
      const areValues = model.config.problemType === "regression";
      stdout.write(labelTable(file, labels, stdout, { areValues }));
    }
    return 0;
  },
};

function thresholdOption(value: string | undefined): { threshold?: number } {
  if (value === undefined) return {};
  const threshold = numberOption("threshold", value, { otherwise: 1, min: 0, max: 1 });
  if (threshold === 0) throw new UsageError("--threshold is 0, not a number above 0");
  return { threshold };
}

/** @throws {UsageError} if the model has no such block or head. */
function choiceOf(
  { head, layer }: { readonly head: string | undefined; readonly layer: string | undefined },
  { config: { numHiddenLayers: L, numAttentionHeads: heads } }: ViTMSNModel,
): Pick<AttentionChoice, "layer" | "head"> {
  return {
    layer: numberOption("layer", layer, { otherwise: -1, min: -L, max: L - 1, integer: true }),
    head: head === undefined || head === "mean" ? "mean" : headOption(head, heads),
  };
}

function headOption(value: string, heads: number): number {
  const head = value.trim() === "" ? NaN : Number(value);
  if (Number.isSafeInteger(head) && head >= 0 && head < heads) return head;
  throw new UsageError(`--head is ${value}, not an integer from 0 to ${heads - 1}, or mean`);
}

/** What the model sees of a photo, and the map on it. */
function asSeen(
  { processor, config: { patchSize: [patchHeight, patchWidth] } }: ViTMSNModel,
  photo: RawImage,
  map: AttentionMap,
): [RawImage, AttentionMap] {
  const image = processor.resizeAndCrop(photo);
  const width = map.columns * patchWidth / image.width;
  const height = map.rows * patchHeight / image.height;
  return [image, { ...map, box: { left: 0, top: 0, width, height } }];
}

if (import.meta.main) await main(attention);
