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
import { convertCheckpoint, type Use } from "./options/convert_checkpoint.ts";
import { downloadHubModel, hubNameOf, OFFLINE_OPTION } from "./options/hub_model.ts";
import { main } from "./main.ts";
import { assertReplaceable, FORCE_OPTION } from "./options/overwrite.ts";
import { printable } from "./output/printable.ts";
import { log } from "./output/log.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write; required" },
  dtype: {
    value: "TYPE",
    help: "f32 (default); f16: half the size, computed in float32; int8: a quarter of the size",
  },
  "image-size": {
    value: "HxW",
    help: "For images of another size, such as 384x384: position embeddings are interpolated",
  },
  outputs: {
    value: "A,B",
    help: "What the graph computes: last_hidden_state, hidden_states, attentions, logits; " +
      "default is the first and, with a classifier, logits",
  },
  offline: OFFLINE_OPTION,
  force: FORCE_OPTION,
};

/** `deno task convert`: makes one ONNX file of Hugging Face's or the authors' files. */
export const convert: Command<typeof options> = {
  name: "convert",
  usage: "SOURCE --out FILE.onnx",
  description:
    "Makes one ONNX file of a ViT-MSN: its weights, config, labels (config.json) and image\n" +
    "processor (preprocessor_config.json). SOURCE is a folder with these files or the weights file\n" +
    "with the others beside it. Of a folder the first that is there is taken: model.safetensors,\n" +
    "model.safetensors.index.json with its shards, pytorch_model.bin, the only *.pth.tar.\n" +
    "Or it is org/name[@revision], a model of the Hugging Face hub, which is downloaded first.",
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
    const name = await hubNameOf(source);
    const path = name ? await downloadHubModel(name, values.offline, terminal) : source;
    const { use } = await convertCheckpoint(
      path,
      out,
      { dtype, ...imageSize, ...outputs },
      log("convert", terminal),
    );
    // What goes into a pipe may be a program's input, and stdout that pipe.
    if ((await Deno.stat(out)).isFile) {
      terminal.stdout.write(asCalled(printable(nextStep(out, use)) + "\n", terminal));
    }
    return 0;
  },
};

/** What to do with the file. */
function nextStep(out: string, use: Use): string {
  const file = commandLine([out]);
  switch (use) {
    case "classify":
      return `${out}: deno task classify photo.jpg --model ${file}`;
    case "embed":
      return `${out}: a backbone without a classifier: deno task embed photo.jpg --model ${file}, or ` +
        `deno task fit PHOTOS --model ${file} --out my.onnx`;
    case "forward":
      return `${out}: deno task forward --model ${file} --inputs in.safetensors --out out.safetensors`;
  }
}

/** The largest side that images are resized to. */
const MAX_SIDE = 4096;

/** Reads an option's value as height × width. */
function sizeOption(name: string, value: string): [number, number] {
  const [height = 0, width = 0] = /^\d{1,4}x\d{1,4}$/.test(value)
    ? value.split("x").map(Number)
    : [];
  if (height > 0 && width > 0 && Math.max(height, width) <= MAX_SIDE) return [height, width];
  throw new UsageError(`--${name} is ${value}, not a height and a width such as 384x384`);
}

if (import.meta.main) await main(convert);
