import type { PhotoFile } from "../../dataset/image_files.ts";
import { type TrainingImages, trainingImages } from "../../dataset/training_images.ts";
import { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { PreprocessorConfig } from "../../preprocess/preprocessor_config.ts";
import { errorMessage } from "../command.ts";
import { log } from "../output/log.ts";
import { printable } from "../output/printable.ts";
import { Progress } from "../output/progress/progress.ts";
import type { Terminal } from "../output/terminal.ts";
import { decodeOptions } from "./decode_option.ts";

/** The shorter side of kept photos, relative to the largest view: crops are taken from them. */
const KEPT_SIZE = 2;

/** What every read of a command's photos shares. */
export interface TrainingPhotosJob {
  /** The command's name, which prefixes its messages. */
  readonly name: string;
  readonly preprocessorConfig: PreprocessorConfig;
  /** The value of `--decode`. */
  readonly decode: string | undefined;
  /** Photos to decode at a time. */
  readonly threads: number;
  readonly terminal: Terminal;
}

/** Photos to read, and the side of the largest view of them in pixels; absent if they are seen whole. */
export interface TrainingPhotos<Entry extends PhotoFile> {
  readonly photos: readonly Entry[];
  readonly viewSide?: number;
}

/**
 * Decodes sets of photos to train on or to judge by. Those that cannot be read, and copies of earlier ones in
 * any of the sets, are reported on stderr and left out.
 */
export async function readTrainingPhotos<Entry extends PhotoFile>(
  sets: readonly TrainingPhotos<Entry>[],
  { name, preprocessorConfig, decode, threads, terminal }: TrainingPhotosJob,
): Promise<TrainingImages<Entry["label"]>[]> {
  const count = sets.reduce((sum, { photos }) => sum + photos.length, 0);
  const progress = new Progress(count, terminal.stderr);
  const options = {
    decoding: decodeOptions(decode, new ViTImageProcessor(preprocessorConfig)),
    jobs: threads,
    seen: new Map<string, { file: string; label: Entry["label"] }>(),
    onImage: () => progress.advance(),
  };
  let skipped = 0;
  const read: TrainingImages<Entry["label"]>[] = [];
  for (const { photos, viewSide } of sets) {
    const images = await trainingImages(photos, {
      ...options,
      ...(viewSide === undefined ? {} : { shortestSide: KEPT_SIZE * viewSide }),
      onLeftOut(image) {
        skipped++;
        progress.clear();
        const reason = "error" in image ? image.error : `duplicate of ${image.twin}`;
        terminal.stderr.write(`${printable(image.file)}: ${errorMessage(reason)}\n`);
      },
    });
    read.push(images);
  }
  progress.clear();
  if (skipped > 0) log(name, terminal)(`${skipped} photos were skipped`);
  return read;
}
