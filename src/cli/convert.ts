import { choiceOption, type Command, onlyArgument, requiredOption } from "./command.ts";
import { convertFolder } from "./convert_folder.ts";
import { downloadHubModel, hubNameOf, OFFLINE_OPTION } from "./hub_model.ts";
import { main } from "./main.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write; required" },
  dtype: {
    value: "TYPE",
    help: "f32 (default), or f16: half the size, matrices rounded to float16, computing in float32",
  },
  offline: OFFLINE_OPTION,
};

/** `deno task convert`: makes one ONNX file of a Hugging Face model folder, or of a model of the hub. */
export const convert: Command<typeof options> = {
  name: "convert",
  usage: "<FOLDER|org/name[@revision]> --out FILE.onnx",
  description:
    "Makes one ONNX file of a ViT-MSN model folder: its weights (model.safetensors), config,\n" +
    "labels (config.json) and image processor (preprocessor_config.json). A model of the Hugging\n" +
    "Face hub is downloaded first.",
  options,
  examples: [
    ["vit-msn-small --out vit-msn-small.onnx", "In full precision"],
    ["vit-msn-small --out vit-msn-small.onnx --dtype f16", "Half the size"],
    ["facebook/vit-msn-small --out vit-msn-small.onnx", "From the Hugging Face hub"],
  ],
  async run(positional, values, terminal) {
    const source = onlyArgument(positional, "folder");
    const out = requiredOption("out", values.out);
    const dtype = choiceOption("dtype", values.dtype, ["f32", "f16"]);
    const name = await hubNameOf(source);
    const folder = name ? await downloadHubModel(name, values.offline, terminal) : source;
    await convertFolder(folder, out, dtype, (message) => {
      terminal.stderr.write(`convert: ${message}\n`);
    });
    return 0;
  },
};

if (import.meta.main) await main(convert);
