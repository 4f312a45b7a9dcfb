import { join } from "@std/path";
import { FeatureCache } from "../../dataset/feature_cache.ts";
import type { LabelledImage } from "../../dataset/image_files.ts";
import {
  type FoundFeatures,
  labelledFeatures,
  type LabelledOptions,
  type LeftOut,
} from "../../dataset/labelled_features.ts";
import { findLabelledImages } from "../../dataset/labelled_images.ts";
import { type FoundLogits, labelledLogits } from "../../dataset/labelled_logits.ts";
import type { RawImage } from "../../image/raw_image.ts";
import { viewsOf } from "../../image/transform/views.ts";
import type { ViTMSNForImageClassification, ViTMSNModel } from "../../model/vit_msn_model.ts";
import { l2Normalize } from "../../tensor/l2_normalize.ts";
import { sha256 } from "../../tensor/sha256.ts";
import { rowsOf } from "../../tensor/rows_of.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { cacheFolder } from "./cache_folder.ts";
import { errorMessage, type Options, type OptionValues } from "../command.ts";
import { DECODE_OPTION, decodeOptions } from "./decode_option.ts";
import { writeErrorMessage } from "../../hub/file_error.ts";
import type { OpenedModel } from "./model_option.ts";
import { printable } from "../output/printable.ts";
import { Progress } from "../output/progress/progress.ts";
import { JOBS_OPTION, jobsOption } from "./runtime_option.ts";
import type { Terminal } from "../output/terminal.ts";
import { urlText } from "./url_argument.ts";
import { log } from "../output/log.ts";

/** The options of every command that reads labelled photos; spread after `RUNTIME_OPTIONS`, whose `threads` they override. */
export const PHOTO_OPTIONS = {
  ...JOBS_OPTION,
  decode: DECODE_OPTION,
  "no-cache": {
    help: "Neither read nor write the cache of features",
  },
} as const satisfies Options;

/** The context that all photos of a command share. */
export interface PhotoJob {
  /** The command's name, which prefixes its messages. */
  readonly name: string;
  readonly opened: OpenedModel;
  readonly values: OptionValues<typeof PHOTO_OPTIONS>;
  readonly terminal: Terminal;
}

/** Bump when the definition of a feature changes: it invalidates the cache. */
const VERSION = 2;

/**
 * Finds the labelled photos that an argument names; reports skipped files on stderr.
 *
 * @throws {Error} if it names no labelled photo; the message names the argument.
 */
export async function findPhotos(
  source: string,
  name: string,
  terminal: Terminal,
): Promise<LabelledImage[]> {
  return await findLabelledImages(source, log(name, terminal), urlText);
}

/**
 * Computes the features of labelled photos and caches them; reports skipped photos on stderr.
 *
 * @param options `augment`: use the mean feature of several views of each photo.
 * @throws {Error} if all images of a class were skipped; the message names the class.
 */
export async function photoFeatures(
  images: readonly LabelledImage[],
  job: PhotoJob,
  { augment = false }: { augment?: boolean } = {},
): Promise<FoundFeatures> {
  const { name, opened: { model, file }, values, terminal } = job;
  const variant = `${values.decode ?? "standard"}${augment ? "-augmented" : ""}`;
  const { say, end, ...reporting } = report(images.length, job);
  using cache = values["no-cache"] ? undefined : await openCache(file.bytes, variant, {
    size: model.config.hiddenSize,
    terminal,
    notKept: (reason) => say(`${name}: features are not cached: ${reason}`),
  });
  const found = await labelledFeatures(images, {
    ...reporting,
    cache,
    compute: async (images) =>
      augment ? await meansOfViews(images, model) : rowsOf(await model.features(images)),
  });
  end(found.skipped);
  return found;
}

/**
 * Computes the logits of labelled photos with a classifier that was trained with its backbone; reports
 * skipped photos on stderr.
 *
 * @throws {Error} if all images were skipped.
 */
export async function photoLogits(
  images: readonly LabelledImage[],
  model: ViTMSNForImageClassification,
  job: PhotoJob,
): Promise<FoundLogits> {
  const { say: _, end, ...reporting } = report(images.length, job);
  const found = await labelledLogits(images, {
    ...reporting,
    async compute(images) {
      const pixel_values = model.processor.preprocess(images);
      const outputs = await model.forward({ pixel_values }, { outputs: ["logits"] });
      const { data, shape: [B, K] } = outputs.get("logits") as Tensor<"float32">;
      return Array.from({ length: B! }, (_, b) => data.slice(b * K!, (b + 1) * K!));
    },
  });
  end(found.skipped);
  return found;
}

/** Options that report messages and progress on stderr while photos are computed. */
function report(
  count: number,
  { name, opened: { model }, values, terminal }: PhotoJob,
): Omit<LabelledOptions<never>, "compute"> & {
  readonly say: (message: string) => void;
  /** Reports the number of skipped photos, if any. */
  readonly end: (skipped: number) => void;
} {
  const { stderr, stdin } = terminal;
  const progress = new Progress(count, stderr);
  const say = (message: string) => {
    progress.clear();
    stderr.write(`${message}\n`);
  };
  return {
    stdin,
    decoding: decodeOptions(values.decode, model.processor),
    jobs: jobsOption(values),
    explainMissing: urlText,
    onLeftOut: (image) => say(leftOutText(image)),
    onImage: () => progress.advance(),
    say,
    end(skipped) {
      progress.clear();
      if (skipped > 0) say(`${name}: ${skipped} of ${count} images were skipped`);
    },
  };
}

function leftOutText(image: LeftOut): string {
  const file = printable(image.file);
  if ("error" in image) return `${file}: ${errorMessage(image.error)}`;
  const { label, twin, twinLabel } = image;
  return `${file}: duplicate of ${printable(twin)}` +
    (label === twinLabel
      ? ""
      : `, which is labelled ${printable(twinLabel)}, not ${printable(label)}; both were skipped`);
}

/** Computes one image at a time, because the views of all images could exceed memory. */
async function meansOfViews(
  images: readonly RawImage[],
  model: ViTMSNModel,
): Promise<Float32Array[]> {
  const means: Float32Array[] = [];
  for (const image of images) {
    const [first, ...others] = rowsOf(await model.features(viewsOf(image)));
    means.push(
      l2Normalize(first!.map((x, d) => others.reduce((sum, other) => sum + other[d]!, x))),
    );
  }
  return means;
}

/** Opens a model's feature cache; returns undefined if that fails, so that the command goes on without. */
async function openCache(
  model: Uint8Array,
  variant: string,
  { size, terminal, notKept }: {
    size: number;
    terminal: Terminal;
    notKept: (reason: string) => void;
  },
): Promise<FeatureCache | undefined> {
  try {
    const digest = (await sha256(model)).slice(0, 16);
    const folder = join(
      await cacheFolder(terminal.system),
      "features",
      `v${VERSION}-${digest}-${variant}`,
    );
    await terminal.system.allowWrite(folder);
    return await FeatureCache.open(
      folder,
      size,
      (error) => notKept(errorMessage(writeErrorMessage(error))),
    );
  } catch (error) {
    notKept(errorMessage(error));
    return undefined;
  }
}
