import { choiceOption, type Command } from "./command.ts";
import { DECODE_OPTION, decodeOptions } from "./decode_option.ts";
import { eachImage } from "./each_image.ts";
import { KEEP_OPTIONS, keepOptions } from "./keep_option.ts";
import { main } from "./main.ts";
import { loadModelOption, MODEL_OPTIONS } from "./model_option.ts";
import { RUNTIME_OPTIONS } from "./runtime_option.ts";

const options = {
  ...MODEL_OPTIONS,
  ...RUNTIME_OPTIONS,
  pool: {
    value: "P",
    help: "cls: the first token (default), mean: the mean of the patches, none: every token",
  },
  normalize: { help: "Scale vectors to length 1" },
  ...KEEP_OPTIONS,
  decode: DECODE_OPTION,
  json: { help: "Print JSON lines; this is the default, and the only form" },
};

/** `deno task embed`: computes the embeddings of images. */
export const embed: Command<typeof options> = {
  name: "embed",
  usage: "<image|folder|glob|-> …",
  description:
    "Computes the embeddings of images and prints JSON lines: {file, embedding} or {file, error}.",
  options,
  examples: [
    ["photo.jpg --normalize", "One photo, ready for a vector index"],
    ["photos > embeddings.jsonl", "All of a folder"],
    ["photo.jpg --pool none", "The tokens of all patches: [[…], …]"],
  ],
  async run(args, values, terminal) {
    const pool = choiceOption("pool", values.pool, ["cls", "mean", "none"]);
    const { normalize } = values;
    const keep = keepOptions(values);
    await using model = await loadModelOption(values, terminal);
    const decoding = decodeOptions(values.decode, model.processor);
    return await eachImage(args, terminal, decoding, true, async (file, image) => {
      const [vectors] = await model.embed([image], { pool, normalize, ...keep });
      const embedding = vectors!.map(toNumbers);
      return JSON.stringify({ file, embedding: pool === "none" ? embedding : embedding[0] }) + "\n";
    });
  },
};

/** Nine significant digits say a float32 exactly, in half the characters of a double. */
function toNumbers(vector: Float32Array): number[] {
  return Array.from(vector, (x) => Number(x.toPrecision(9)));
}

if (import.meta.main) await main(embed);
