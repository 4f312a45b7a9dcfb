import { l2Normalize } from "../tensor/l2_normalize.ts";
import { rowsOf } from "../tensor/rows_of.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { toNumbers } from "../tensor/to_numbers.ts";
import { choiceOption, type Command } from "./command.ts";
import { DECODE_OPTION, decodeOptions } from "./options/decode_option.ts";
import { eachImage } from "./output/each_image.ts";
import { KEEP_OPTIONS, keepOptions } from "./options/keep_option.ts";
import { main } from "./main.ts";
import { loadModelOption, MODEL_OPTIONS } from "./options/model_option.ts";
import { JOBS_OPTION, jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";

const options = {
  ...MODEL_OPTIONS,
  ...RUNTIME_OPTIONS,
  ...JOBS_OPTION,
  pool: {
    value: "P",
    help: "cls: the first token (default); mean: the mean of the patch tokens; none: every token",
  },
  normalize: { help: "Scale each vector to length 1" },
  ...KEEP_OPTIONS,
  decode: DECODE_OPTION,
  json: { help: "Print JSON lines, the only output format", isHidden: true },
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
    ["photos > embeddings.jsonl", "All images in a folder"],
    ["photos --jobs 4 > embeddings.jsonl", "On four cores"],
    ["photo.jpg --pool none", "The tokens of all patches: [[…], …]"],
  ],
  async run(args, values, terminal) {
    const pool = choiceOption("pool", values.pool, ["cls", "mean", "none"]);
    const { normalize } = values;
    const keep = keepOptions(values);
    const jobs = jobsOption(values);
    await using model = await loadModelOption(values, terminal);
    const decoding = decodeOptions(values.decode, model.processor);
    return await eachImage(args, terminal, {
      name: "embed",
      decoding,
      json: true,
      jobs,
      async compute(images): Promise<(number[] | number[][])[]> {
        if (pool !== "none") {
          return rowsOf(await model.embed(images, { pool, normalize, ...keep })).map(toNumbers);
        }
        return tokensOf(await model.embedTokens(images, keep)).map((tokens) =>
          tokens.map((token) => toNumbers(normalize ? l2Normalize(token) : token))
        );
      },
      format: (file, embedding) => JSON.stringify({ file, embedding }) + "\n",
    });
  },
};

/** The T vectors [D] of each of B images. */
function tokensOf(tensor: Tensor<"float32">): Float32Array[][] {
  const [, T, D] = tensor.shape;
  return rowsOf(tensor).map((data) => rowsOf({ dtype: "float32", shape: [T!, D!], data }));
}

if (import.meta.main) await main(embed);
