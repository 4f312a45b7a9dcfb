import { readCheckpoint } from "../checkpoint/checkpoint.ts";
import {
  parsePreprocessorConfig,
  type PreprocessorConfig,
} from "../preprocess/preprocessor_config.ts";
import { parseConfig, type ViTMSNConfig } from "../vit_msn/config.ts";
import { writeModelFile } from "../vit_msn/model_file.ts";
import { toWeights } from "../vit_msn/weights.ts";
import { choiceOption, type Command, onlyArgument, requiredOption } from "./command.ts";
import { main } from "./main.ts";
import { writeFile } from "./write_file.ts";

const options = {
  out: { value: "FILE", help: "The ONNX file to write; required" },
  dtype: {
    value: "TYPE",
    help: "f32 (default); f16: half the size, computed in float32; int8: a quarter of the size",
  },
};

/** What ViT-MSN's released models state; used where there is no image processor. */
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

/** `deno task convert`: makes one ONNX file of Hugging Face's or the authors' files. */
export const convert: Command<typeof options> = {
  name: "convert",
  usage: "SOURCE --out FILE.onnx",
  description:
    "Makes one ONNX file of a ViT-MSN: its weights, config, labels (config.json) and image\n" +
    "processor (preprocessor_config.json). SOURCE is a folder with these files or the weights file\n" +
    "with the others beside it. Of a folder the first that is there is taken: model.safetensors,\n" +
    "model.safetensors.index.json with its shards, pytorch_model.bin, the only *.pth.tar.",
  options,
  examples: [
    ["vit-msn-small --out vit-msn-small.onnx", "In full precision"],
    ["vit-msn-small --out vit-msn-small.onnx --dtype f16", "Half the size"],
    [
      "msn/vits16_800ep.pth.tar --out vits16.onnx",
      "The authors' file, with a config.json beside it",
    ],
  ],
  async run(positional, values, terminal) {
    const source = onlyArgument(positional, "source");
    const out = requiredOption("out", values.out);
    const dtype = choiceOption("dtype", values.dtype, ["f32", "f16", "int8"]);
    const { config, preprocessorConfig, tensors } = await readCheckpoint(source);
    const parsed = parseConfig(config);
    const weights = toWeights(tensors, parsed);
    const [height, width] = parsed.imageSize;
    if (preprocessorConfig === undefined) {
      terminal.stderr.write(
        `convert: ${source} comes without a preprocessor_config.json: images will be resized to ` +
          `${width} × ${height} and normalised by ImageNet's mean and standard deviation\n`,
      );
    }
    const processor = preprocessorConfig ?? { size: { height, width }, ...IMAGENET };
    const obstacle = obstacleToImages(parsed, parsePreprocessorConfig(processor));
    if (obstacle) {
      terminal.stderr.write(`convert: the model takes tensors, but no images: ${obstacle}\n`);
    }
    await writeFile(out, writeModelFile(config, processor, weights, dtype));
    return 0;
  },
};

/** Why the image processor's pixels are none that the model takes, if so. */
function obstacleToImages(config: ViTMSNConfig, processor: PreprocessorConfig): string | undefined {
  if (config.numChannels !== 3) {
    return `it has ${config.numChannels} channels, images come with 3`;
  }
  const { doResize, size, doCenterCrop, cropSize } = processor;
  const resized = doResize && "height" in size ? size : undefined;
  const final = doCenterCrop ? cropSize : resized;
  const [height, width] = config.imageSize;
  if (!final || final.height === height && final.width === width) return undefined;
  return `its image_size is ${height} × ${width}, its image processor makes ${final.height} × ${final.width}`;
}

if (import.meta.main) await main(convert);
