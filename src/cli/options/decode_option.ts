import { DECODE_MODES, type DecodeOptions } from "../../image/decode_options.ts";
import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import { choiceOption, type Option } from "../command.ts";

/** The option `--decode` of every command that decodes images. */
export const DECODE_OPTION = {
  value: "HOW",
  help:
    "standard: within 3 levels of Pillow's pixels (default); exact: Pillow's, for an index shared " +
    "with Python; fast: downscale large JPEGs while decoding",
} as const satisfies Option;

/** The decode options for `--decode`; `fast` needs the size to which the processor resizes. */
export function decodeOptions(
  value: string | undefined,
  processor: ViTImageProcessor,
): DecodeOptions {
  return processor.decodeOptions(choiceOption("decode", value, DECODE_MODES));
}
