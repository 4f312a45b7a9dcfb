import { decodedImages } from "../../dataset/decoded_images.ts";
import type { ImageFile } from "../../dataset/image_files.ts";
import type { DecodeOptions } from "../../image/decode_options.ts";
import type { RawImage } from "../../image/raw_image.ts";
import { resize } from "../../image/transform/resize.ts";
import type { ViTMSNModel } from "../../model/vit_msn_model.ts";
import { type DuplicateThreshold, duplicateThreshold } from "../../search/duplicate_threshold.ts";
import type { IndexedImage, VectorIndex } from "../../search/vector_index.ts";
import { l2Normalize } from "../../tensor/l2_normalize.ts";
import { shuffle, uniform } from "../../tensor/random.ts";
import { rowsOf } from "../../tensor/rows_of.ts";
import { augment, type AugmentOptions } from "../../train/augmentation/augment.ts";

/** The photos that a threshold is calibrated on: with 200, a share of 1 % is two of them. */
const SAMPLE = 200;
/** The same sample of the same index each time. */
const SEED = 1;
/** Neighbours of a photo that are looked at for one that is another picture. */
const NEIGHBOURS = 10;

/** A slightly changed copy: a crop, resized to at most 256 pixels, with other colours. */
const SLIGHTLY: Omit<AugmentOptions, "size"> = {
  cropScale: [0.8, 1],
  cropRatio: [0.9, 1.1],
  mirror: 0,
  colorJitter: { brightness: 0.15, contrast: 0.15, saturation: 0.15 },
};
const COPY_SIDE = 256;

/** What photos are read and embedded with, as the index's were. */
export interface CalibrationOptions {
  readonly model: ViTMSNModel;
  readonly pool: "cls" | "mean";
  readonly decoding: DecodeOptions;
  readonly jobs: number;
  /** Called after each photo. */
  readonly onPhoto: (done: number, all: number) => void;
}

/** A threshold and the photos that it was calibrated on. */
export interface Calibration extends DuplicateThreshold {
  readonly photos: number;
}

/**
 * Calibrates the threshold of near-duplicates on photos of an index. Each is changed a little and
 * compared with itself; and it is compared with the most similar photo that is another picture, by their
 * pixels.
 *
 * @throws {Error} if fewer than two photos can be read.
 */
export async function calibrateDuplicates(
  index: VectorIndex,
  { model, pool, decoding, jobs, onPhoto }: CalibrationOptions,
): Promise<Calibration> {
  const random = uniform(SEED);
  const sample = await sampleOf(index, random);
  const embed = async (image: RawImage) =>
    l2Normalize(rowsOf(await model.embed([image], { pool }))[0]!);
  const [copies, others]: [number[], number[]] = [[], []];
  let next = 0;
  const files = sample.map(fileOf);
  const read = decodedImages(files, new ReadableStream(), { decoding, workers: jobs });
  for await (const { image } of read) {
    onPhoto(++next, sample.length);
    if (!image) continue; // it is gone since it was indexed
    const vector = await embed(image);
    copies.push(
      dot(vector, await embed(augment(image, { ...SLIGHTLY, size: sizeOf(image) }, random))),
    );
    const other = await mostSimilarOther(index, { image, vector }, decoding);
    if (other !== undefined) others.push(other);
  }
  if (copies.length < 2) {
    throw new Error(
      `Cannot calibrate the threshold: ${copies.length} photos of the index can be read, and it takes 2; ` +
        "call the command from the folder that the index was made from",
    );
  }
  return { ...duplicateThreshold(copies, others), photos: copies.length };
}

/** Photos at random, each content once: the same ones, whatever order they were indexed in. */
async function sampleOf(index: VectorIndex, random: () => number): Promise<IndexedImage[]> {
  const seen = new Map<string, IndexedImage>();
  for await (const image of index.images()) {
    if (!seen.has(image.sha256)) seen.set(image.sha256, { ...image, vector: new Uint16Array() });
  }
  return shuffle([...seen.values()], random).slice(0, SAMPLE);
}

function fileOf({ path, range }: Pick<IndexedImage, "path" | "range">): ImageFile {
  return { file: path, ...(range ? { range } : {}) };
}

function sizeOf({ width, height }: RawImage): [number, number] {
  const scale = Math.min(1, COPY_SIDE / Math.max(width, height));
  return [Math.max(1, Math.round(scale * height)), Math.max(1, Math.round(scale * width))];
}

/** The similarity of the nearest photo that is another picture; undefined if all the nearest are the same picture. */
async function mostSimilarOther(
  index: VectorIndex,
  { image, vector }: { image: RawImage; vector: Float32Array },
  decoding: DecodeOptions,
): Promise<number | undefined> {
  const own = signature(image);
  const [neighbours] = await index.search([vector], { k: NEIGHBOURS });
  for (const neighbour of neighbours!) {
    const [other] = await Array.fromAsync(
      decodedImages([fileOf(neighbour)], new ReadableStream(), { decoding }),
    );
    if (other?.image && dot(own, signature(other.image)) < SAME_PICTURE) {
      return neighbour.similarity;
    }
  }
  return undefined;
}

/** The correlation of the brightness of 16 × 16 parts from which on two images are the same picture. */
const SAME_PICTURE = 0.9;
const PARTS = 16;

/** The brightness of an image's parts, without its mean, with length 1. */
function signature(image: RawImage): Float32Array {
  const { data } = resize(image, PARTS, PARTS, "bilinear");
  const grey = Float32Array.from(
    { length: PARTS * PARTS },
    (_, i) => data[3 * i]! + data[3 * i + 1]! + data[3 * i + 2]!,
  );
  const mean = grey.reduce((sum, x) => sum + x, 0) / grey.length;
  return l2Normalize(grey.map((x) => x - mean));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}
