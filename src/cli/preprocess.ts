import { writeSafetensors } from "../checkpoint/safetensors.ts";
import { readImageFile } from "../dataset/read_image_file.ts";
import { decodeImage } from "../image/decode_image.ts";
import { DEFAULT_IMAGE_LIMITS } from "../image/image_header.ts";
import { ViTImageProcessor } from "../preprocess/vit_image_processor.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Command, errorMessage, onlyArgument, requiredOption } from "./command.ts";
import { DECODE_OPTION, decodeOptions } from "./options/decode_option.ts";
import { main } from "./main.ts";
import { MODEL_OPTIONS, readModelOption } from "./options/model_option.ts";
import { urlText } from "./options/url_argument.ts";
import { writeFile } from "../hub/write_file.ts";

const options = {
  out: { value: "FILE", help: "The safetensors file to write; required" },
  ...MODEL_OPTIONS,
  decode: DECODE_OPTION,
  "with-decoded": { help: "Also write the upright RGB pixels: decoded [H, W, 3] U8" },
};

/** `deno task preprocess`: writes the model's input tensor for an image. */
export const preprocess: Command<typeof options> = {
  name: "preprocess",
  usage: "IMAGE --out FILE.safetensors",
  description:
    "Writes an image's pixel_values [1, C, H, W], computed by the model's image processor.",
  options,
  examples: [["photo.jpg --out photo.safetensors", "Compare with Python"]],
  async run(positional, values, terminal) {
    const file = onlyArgument(positional, "image");
    const out = requiredOption("out", values.out);
    const { preprocessorConfig } = await readModelOption(values, terminal);
    const processor = new ViTImageProcessor(preprocessorConfig);
    const tensors = new Map<string, Tensor>();
    try {
      const { maxBytes } = DEFAULT_IMAGE_LIMITS;
      const bytes = await readImageFile({ file }, terminal.stdin, maxBytes, urlText);
      const image = await decodeImage(bytes, decodeOptions(values.decode, processor));
      tensors.set("pixel_values", processor.preprocess([image]));
      if (values["with-decoded"]) {
        const { width, height, data } = image;
        tensors.set("decoded", { dtype: "uint8", shape: [height, width, 3], data });
      }
    } catch (error) {
      throw new Error(`${file}: ${errorMessage(error)}`);
    }
    await writeFile(out, [writeSafetensors(tensors)]);
    return 0;
  },
};

if (import.meta.main) await main(preprocess);
