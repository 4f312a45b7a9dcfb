import type { DecodeOptions } from "../../image/decode_options.ts";
import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import { choiceOption, type Option } from "../command.ts";

/** The option `--decode` of every command that decodes images. */
export const DECODE_OPTION = {
  value: "HOW",
  help: "exact: the same pixels as Pillow (default); fast: downscale large JPEGs while decoding",
} as const satisfies Option;

/** The decode options for `--decode`; `fast` needs the size to which the processor resizes. */
export function decodeOptions(
  value: string | undefined,
  { resizedSize }: ViTImageProcessor,
): DecodeOptions {
  const decode = choiceOption("decode", value, ["exact", "fast"]);
  return decode === "fast" && resizedSize ? { decode, size: resizedSize } : {};
}
