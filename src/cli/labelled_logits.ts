import type { ViTMSNForImageClassification } from "../model.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { errorMessage, type OptionValues } from "./command.ts";
import { decodedImages } from "./decoded_images.ts";
import { decodeOptions } from "./decode_option.ts";
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
  const found: { logits: Float32Array; label: string; file: string }[] = [];
  const fail = (file: string, message: string) => {
    progress.clear();
    terminal.stderr.write(`${printable(file)}: ${message}\n`);
  };
  let next = 0;
  for await (const { file, image, error } of decodedImages(images, terminal.stdin, { decoding })) {
    const { label } = images[next++]!;
    if (error !== undefined) fail(file, error);
    else {
      try {
        const pixel_values = model.processor.preprocess([image]);
        const outputs = await model.forward({ pixel_values }, { outputs: ["logits"] });
        const { data } = outputs.get("logits") as Tensor<"float32">;
        found.push({ logits: data, label, file });
      } catch (error) {
        fail(file, errorMessage(error));
      }
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
