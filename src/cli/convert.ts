import { OUTPUT_NAMES } from "../vit_msn/graph.ts";
import {
  asCalled,
  choiceOption,
  type Command,
  onlyArgument,
  outputsOption,
  requiredOption,
  UsageError,
} from "./command.ts";
import { commandLine } from "./output/command_line.ts";
import { findHubName } from "../hub/find_hub_name.ts";
import { convertCheckpoint } from "./options/convert_checkpoint.ts";
import type { Use } from "../vit_msn/from_checkpoint.ts";
import { downloadHubModel, OFFLINE_OPTION } from "./options/hub_model.ts";
import { main } from "./main.ts";
import { assertReplaceable, FORCE_OPTION } from "./options/overwrite.ts";
import { printable } from "./output/printable.ts";
import { log } from "./output/log.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write; required" },
  dtype: {
    value: "TYPE",
    help:
      "The weights' type: f32 (default); f16: half the size, computed in float32; int8: a quarter of the size",
  },
  "image-size": {
    value: "HxW",
    help: "Convert for another image size, such as 384x384; position embeddings are interpolated",
  },
  outputs: {
    value: "A,B",
    help: "The graph's outputs: last_hidden_state, hidden_states, attentions, logits; " +
      "default is last_hidden_state and, with a classifier, logits",
  },
  offline: OFFLINE_OPTION,
  force: FORCE_OPTION,
};

/** `deno task convert`: converts Hugging Face's or the authors' files to one ONNX file. */
export const convert: Command<typeof options> = {
  name: "convert",
  usage: "SOURCE --out FILE.onnx",
  description:
    "Converts a ViT-MSN to one ONNX file with its weights, config and labels (config.json) and image\n" +
    "processor (preprocessor_config.json). SOURCE is a folder with these files, or the weights file\n" +
    "with the others beside it. From a folder, the first match is used: model.safetensors,\n" +
    "model.safetensors.index.json with its shards, pytorch_model.bin, the only *.pth.tar.\n" +
    "SOURCE may also be a model on the Hugging Face hub, org/name[@revision]; it is downloaded first.",
  options,
  examples: [
    ["vit-msn-small --out vit-msn-small.onnx", "In full precision"],
    ["vit-msn-small --out vit-msn-small.onnx --dtype f16", "Half the size"],
    [
      "msn/vits16_800ep.pth.tar --out vits16.onnx",
      "The authors' file, with a config.json beside it",
    ],
    ["facebook/vit-msn-small --out vit-msn-small.onnx", "From the Hugging Face hub"],
  ],
  async run(positional, values, terminal) {
    const source = onlyArgument(positional, "source");
    const out = requiredOption("out", values.out);
    const dtype = choiceOption("dtype", values.dtype, ["f32", "f16", "int8"]);
    const imageSize = values["image-size"] === undefined
      ? {}
      : { imageSize: sizeOption("image-size", values["image-size"]) };
    const outputs = values.outputs === undefined
      ? {}
      : { outputs: outputsOption(values.outputs, OUTPUT_NAMES) };
    await assertReplaceable(out, "converted", values.force);
    const name = await findHubName(source);
    const path = name ? await downloadHubModel(name, values.offline, terminal) : source;
    const { use } = await convertCheckpoint(
      path,
      out,
      { dtype, ...imageSize, ...outputs },
      log("convert", terminal),
    );
    // If `out` is a pipe, it may be stdout, where this text would corrupt the model.
    if ((await Deno.stat(out)).isFile) {
      terminal.stdout.write(asCalled(printable(nextStep(out, use)) + "\n", terminal));
    }
    return 0;
  },
};

/** The next command to run with the file. */
function nextStep(out: string, use: Use): string {
  const file = commandLine([out]);
  switch (use) {
    case "classify":
      return `${out}: deno task classify photo.jpg --model ${file}`;
    case "embed":
      return `${out}: backbone without a classifier: deno task embed photo.jpg --model ${file}, or ` +
        `deno task fit PHOTOS --model ${file} --out my.onnx`;
    case "forward":
      return `${out}: deno task forward --model ${file} --inputs in.safetensors --out out.safetensors`;
  }
}

/** The largest height or width that images may be resized to. */
const MAX_SIDE = 4096;

/** Parses an option's value as height × width. */
function sizeOption(name: string, value: string): [number, number] {
  const [height = 0, width = 0] = /^\d{1,4}x\d{1,4}$/.test(value)
    ? value.split("x").map(Number)
    : [];
  if (height > 0 && width > 0 && Math.max(height, width) <= MAX_SIDE) return [height, width];
  throw new UsageError(`--${name} is ${value}, not a height and a width such as 384x384`);
}

if (import.meta.main) await main(convert);
