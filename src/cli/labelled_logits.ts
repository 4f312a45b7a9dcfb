import { ImageDecoder } from "../image/image_decoder.ts";
import { DEFAULT_IMAGE_LIMITS } from "../image/image_header.ts";
import type { ViTMSNForImageClassification } from "../model.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { errorMessage, type OptionValues } from "./command.ts";
import { decodeOptions } from "./decode_option.ts";
import { readImageFile } from "./image_files.ts";
import type { FEATURE_OPTIONS } from "./labelled_features.ts";
import type { LabelledImage } from "./labelled_images.ts";
import { printable } from "./printable.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Of labelled images, those whose logits could be computed. */
export interface FoundLogits {
  readonly logits: readonly Float32Array[];
  readonly labels: readonly string[];
  readonly files: readonly string[];
  readonly skipped: number;
}

/**
 * Computes the logits of labelled images by a classifier that was trained with its backbone. What cannot
 * be read is reported on stderr and left out.
 *
 * @param name of the command, before its messages.
 * @throws {Error} if no image is left.
 */
export async function labelledLogits(
  name: string,
  images: readonly LabelledImage[],
  model: ViTMSNForImageClassification,
  values: OptionValues<typeof FEATURE_OPTIONS>,
  terminal: Terminal,
): Promise<FoundLogits> {
  const decoding = decodeOptions(values.decode, model.processor);
  const progress = new Progress(images.length, terminal.stderr);
  using decoder = new ImageDecoder({ workers: images.length > 1 ? 1 : 0 });
  const found: { logits: Float32Array; label: string; file: string }[] = [];
  for (const entry of images) {
    const { file, label } = entry;
    try {
      const bytes = await readImageFile(entry, terminal.stdin, DEFAULT_IMAGE_LIMITS.maxBytes);
      const image = await decoder.decode(bytes, decoding);
      const pixel_values = model.processor.preprocess([image]);
      const outputs = await model.forward({ pixel_values }, { outputs: ["logits"] });
      const { data } = outputs.get("logits") as Tensor<"float32">;
      found.push({ logits: data, label, file });
    } catch (error) {
      progress.clear();
      terminal.stderr.write(`${printable(file)}: ${errorMessage(error)}\n`);
    }
    progress.advance();
  }
  progress.clear();
  if (found.length === 0) throw new Error("no photo can be read");
  const skipped = images.length - found.length;
  if (skipped > 0) {
    terminal.stderr.write(`${name}: ${skipped} of ${images.length} images are left out\n`);
  }
  return {
    logits: found.map(({ logits }) => logits),
    labels: found.map(({ label }) => label),
    files: found.map(({ file }) => file),
    skipped,
  };
}
