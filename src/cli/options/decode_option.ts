import type { DecodeOptions } from "../../image/decode_options.ts";
import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import { choiceOption, type Option } from "../command.ts";

/** The option `--decode` of every command that decodes images. */
export const DECODE_OPTION = {
  value: "HOW",
  help: "exact: Pillow's pixels (default), fast: scale large JPEGs down while decoding them",
} as const satisfies Option;

/** What `--decode` means for images that a processor is going to resize. */
export function decodeOptions(
  value: string | undefined,
  { resizedSize }: ViTImageProcessor,
): DecodeOptions {
  const decode = choiceOption("decode", value, ["exact", "fast"]);
  return decode === "fast" && resizedSize ? { decode, size: resizedSize } : {};
}
