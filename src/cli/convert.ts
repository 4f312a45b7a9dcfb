import { choiceOption, type Command, onlyArgument, requiredOption } from "./command.ts";
import { convertCheckpoint } from "./convert_checkpoint.ts";
import { downloadHubModel, hubNameOf, OFFLINE_OPTION } from "./hub_model.ts";
import { main } from "./main.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write; required" },
  dtype: {
    value: "TYPE",
    help: "f32 (default); f16: half the size, computed in float32; int8: a quarter of the size",
  },
  offline: OFFLINE_OPTION,
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
    const name = await hubNameOf(source);
    const path = name ? await downloadHubModel(name, values.offline, terminal) : source;
    await convertCheckpoint(path, out, dtype, (message) => {
      terminal.stderr.write(`convert: ${message}\n`);
    });
    return 0;
  },
};

if (import.meta.main) await main(convert);
