import { DECODE_MODES, type DecodeOptions } from "../../image/decode_options.ts";
import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import { choiceOption, type Option } from "../command.ts";

/** The option `--decode` of every command that decodes images. */
export const DECODE_OPTION = {
  value: "HOW",
  help:
    "standard: within 3 levels of Pillow's pixels (default); exact: Pillow's, for an index shared with " +
    "Python; fast: scale large JPEGs down while decoding them",
} as const satisfies Option;

/** What `--decode` means for images that a processor is going to resize. */
export function decodeOptions(
  value: string | undefined,
  processor: ViTImageProcessor,
): DecodeOptions {
  return processor.decodeOptions(choiceOption("decode", value, DECODE_MODES));
}
