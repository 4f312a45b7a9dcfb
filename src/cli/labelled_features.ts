import { join } from "@std/path";
import type { LabelledFeatures } from "../heads/fit_head.ts";
import type { DecodeOptions } from "../image/decode_options.ts";
import { ImageDecoder } from "../image/image_decoder.ts";
import { DEFAULT_IMAGE_LIMITS } from "../image/image_header.ts";
import { viewsOf } from "../image/views.ts";
import type { ViTMSNModel } from "../model.ts";
import { l2Normalize } from "../tensor/l2_normalize.ts";
import { sha256 } from "../tensor/sha256.ts";
import { cacheFolder } from "./cache_folder.ts";
import { errorMessage, type Options, type OptionValues } from "./command.ts";
import { DECODE_OPTION, decodeOptions } from "./decode_option.ts";
import { FeatureCache } from "./feature_cache.ts";
import { writeErrorMessage } from "./file_error.ts";
import { readImageFile } from "./image_files.ts";
import type { LabelledImage } from "./labelled_images.ts";
import type { OpenedModel } from "./model_option.ts";
import { printable } from "./printable.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** The options of every command that computes the features of labelled images. */
export const FEATURE_OPTIONS = {
  decode: DECODE_OPTION,
  "no-cache": {
    help: "Compute all features anew; else those of the same photos and model are kept",
  },
} as const satisfies Options;

/** Of labelled images, those whose features could be computed. */
export interface FoundFeatures extends LabelledFeatures {
  readonly files: readonly string[];
  /** The beginning of each image's SHA-256. */
  readonly ids: readonly string[];
  /** How many images are left out: unreadable, twice there, or with two labels. */
  readonly skipped: number;
}

/** So many hexadecimal digits of a SHA-256 tell the images of any collection apart. */
const ID_LENGTH = 16;

/** Another one makes all features anew, after a change of what they are. */
const VERSION = 1;

/**
 * Computes the features of labelled images, and keeps them for the next time. What cannot be read is
 * reported on stderr and left out; so is a photo that is there twice, and one with two labels altogether.
 *
 * @param name of the command, before its messages.
 * @param augment whether a feature is the mean of those of several views.
 * @throws {Error} if of a class no image is left; the message names it.
 */
export async function labelledFeatures(
  name: string,
  images: readonly LabelledImage[],
  { model, bytes }: OpenedModel,
  values: OptionValues<typeof FEATURE_OPTIONS>,
  terminal: Terminal,
  { augment = false }: { augment?: boolean } = {},
): Promise<FoundFeatures> {
  const decoding = decodeOptions(values.decode, model.processor);
  const progress = new Progress(images.length, terminal.stderr);
  const say = (message: string) => {
    progress.clear();
    terminal.stderr.write(`${message}\n`);
  };
  const variant = `${values.decode ?? "exact"}${augment ? "-augmented" : ""}`;
  using cache = values["no-cache"] ? undefined : await openCache(bytes, variant, {
    size: model.config.hiddenSize,
    terminal,
    notKept: (reason) => say(`${name}: features are not kept: ${reason}`),
  });
  using decoder = new ImageDecoder({ workers: images.length > 1 ? 1 : 0 });
  const found = new Map<string, { file: string; label: string; feature: Float32Array }>();
  const contradictory = new Set<string>();
  let skipped = 0;
  for (const image of images) {
    const { file, label } = image;
    try {
      const content = await readImageFile(image, terminal.stdin, DEFAULT_IMAGE_LIMITS.maxBytes);
      const key = await sha256(content);
      const twin = found.get(key);
      if (!twin) {
        const feature = cache?.get(key) ??
          await computeFeature(content, model, decoder, decoding, augment);
        if (!cache?.get(key)) cache?.add(key, feature);
        found.set(key, { file, label, feature });
      } else {
        skipped++;
        if (twin.label === label) {
          say(`${printable(file)}: the same photo as ${printable(twin.file)}`);
        } else {
          contradictory.add(key);
          say(
            `${printable(file)}: the same photo as ${printable(twin.file)}, which is labelled ` +
              `${printable(twin.label)}, not ${printable(label)}; both are left out`,
          );
        }
      }
    } catch (error) {
      skipped++;
      say(`${printable(file)}: ${errorMessage(error)}`);
    }
    progress.advance();
  }
  progress.clear();
  const kept = [...found].flatMap(([key, entry]) =>
    contradictory.has(key) ? [] : [{ key, ...entry }]
  );
  assertEveryClass(images, kept);
  if (skipped > 0) {
    say(`${name}: ${skipped + contradictory.size} of ${images.length} images are left out`);
  }
  return {
    features: kept.map(({ feature }) => feature),
    labels: kept.map(({ label }) => label),
    files: kept.map(({ file }) => file),
    ids: kept.map(({ key }) => key.slice(0, ID_LENGTH)),
    skipped: skipped + contradictory.size,
  };
}

function assertEveryClass(
  images: readonly LabelledImage[],
  kept: readonly { readonly label: string }[],
): void {
  const left = new Set(kept.map(({ label }) => label));
  for (const [label, { length }] of Map.groupBy(images, ({ label }) => label)) {
    if (left.has(label)) continue;
    throw new Error(
      `the class ${label} has no image: ${
        length === 1 ? "its only file" : `all ${length} of its files`
      } had to be left out`,
    );
  }
}

async function computeFeature(
  bytes: Uint8Array,
  model: ViTMSNModel,
  decoder: ImageDecoder,
  decoding: DecodeOptions,
  augment: boolean,
): Promise<Float32Array> {
  const image = await decoder.decode(bytes, decoding);
  const features = await model.features(augment ? viewsOf(image) : [image]);
  const [first, ...others] = features as [Float32Array, ...Float32Array[]];
  if (others.length === 0) return first;
  return l2Normalize(first.map((x, d) => others.reduce((sum, other) => sum + other[d]!, x)));
}

/** The cache of a model's features; nothing if it cannot be read or made. */
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
