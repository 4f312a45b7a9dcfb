import * as v from "valibot";
import { readZip } from "./read_zip.ts";
import type { ClassRecord, PhotoImage, PhotoRecord } from "./records.ts";
import { writeZip } from "./write_zip.ts";

/** A whole project, as a zip file holds it. */
export interface ProjectContent {
  readonly classes: readonly ClassRecord[];
  readonly photos: readonly PhotoRecord[];
  /** The image of each photo, in the same order. */
  readonly images: readonly PhotoImage[];
}

const FORMAT = "vit-msn-edge-project";
const VERSION = 1;
const [MANIFEST, EMBEDDINGS, PIXELS] = ["manifest.json", "embeddings.f32", "pixels.rgb"];

/** The largest zip file that is read, in bytes: browsers hold no longer array. */
export const MAX_ZIP_BYTES = 2_000_000_000;
/** A zip file of this project has one entry a photo. */
export const MAX_PHOTOS = 60_000;
const MAX_CLASSES = 10_000;
const MAX_NAME = 1000;
/** Far above a JPEG of 160 × 160 pixels. */
const MAX_THUMBNAIL_BYTES = 1_000_000;
const MAX_SIDE = 4096;
const MAX_DIMENSIONS = 65_536;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const time = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

const manifestSchema = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  classes: v.pipe(v.array(v.object({ name, time })), v.maxLength(MAX_CLASSES)),
  photos: v.pipe(
    v.array(v.object({
      hash: sha256,
      name,
      /** The index of its class. */
      class: v.pipe(v.number(), v.integer(), v.minValue(0)),
      time,
      model: sha256,
      dimensions: count(MAX_DIMENSIONS),
      width: count(MAX_SIDE),
      height: count(MAX_SIDE),
    })),
    v.maxLength(MAX_PHOTOS),
  ),
});

/**
 * Writes a project as a zip file: `manifest.json`; `embeddings.f32` and `pixels.rgb`, those of all photos one after
 * the other; and a JPEG file a photo.
 *
 * @returns the file in pieces.
 * @throws {RangeError} if it has more than 60,000 photos.
 */
export function writeProjectZip(
  { classes, photos, images }: ProjectContent,
): Uint8Array<ArrayBuffer>[] {
  if (photos.length > MAX_PHOTOS) {
    throw new RangeError(
      `Cannot export a project of ${photos.length} photos: a zip file takes ${MAX_PHOTOS}`,
    );
  }
  const indices = new Map(classes.map(({ id }, index) => [id, index]));
  const manifest: v.InferOutput<typeof manifestSchema> = {
    format: FORMAT,
    version: VERSION,
    classes: classes.map(({ name, time }) => ({ name, time })),
    photos: photos.map(({ hash, name, classId, time, model, embedding }, i) => ({
      hash,
      name,
      class: indices.get(classId)!,
      time,
      model,
      dimensions: embedding.length,
      width: images[i]!.width,
      height: images[i]!.height,
    })),
  };
  return writeZip(
    new Map([
      [MANIFEST!, new TextEncoder().encode(JSON.stringify(manifest))],
      [
        EMBEDDINGS!,
        joined(
          photos.map(({ embedding: { buffer, byteOffset, byteLength } }) =>
            new Uint8Array(buffer, byteOffset, byteLength)
          ),
        ),
      ],
      [PIXELS!, joined(images.map(({ pixels }) => new Uint8Array(pixels)))],
      ...images.map(({ hash, thumbnail }) =>
        [thumbnailName(hash), new Uint8Array(thumbnail)] as const
      ),
    ]),
  );
}

/**
 * Reads a project from a zip file. All is checked before anything is returned; nothing in the file can expand.
 *
 * @throws {SyntaxError} if it is no such file, is damaged or exceeds a limit; the message says what is wrong.
 */
export function readProjectZip(bytes: Uint8Array<ArrayBuffer>): ProjectContent {
  if (bytes.length > MAX_ZIP_BYTES) throw unreadable("it has more than 2 GB");
  const entries = readZip(bytes);
  const manifest = readManifest(entries);
  const classes = manifest.classes.map(({ name, time }, index) => ({
    id: String(index),
    name,
    time,
  }));
  if (new Set(classes.map(({ name }) => name)).size < classes.length) {
    throw unreadable("two classes have the same name");
  }
  const { photos: listed } = manifest;
  if (new Set(listed.map(({ hash }) => hash)).size < listed.length) {
    throw unreadable("it has a photo twice");
  }
  const embeddings = piecesOf(entries, EMBEDDINGS!, listed.map(({ dimensions }) => 4 * dimensions));
  const pixels = piecesOf(entries, PIXELS!, listed.map(({ width, height }) => 3 * width * height));
  const photos: PhotoRecord[] = [];
  const images: PhotoImage[] = [];
  listed.forEach(({ hash, name, class: index, time, model, width, height }, i) => {
    const owner = classes[index];
    if (!owner) {
      throw unreadable(`the photo ${quoted(name)} is in class ${index}, which is not there`);
    }
    const embedding = new Float32Array(embeddings[i]!);
    if (!embedding.every(Number.isFinite)) {
      throw unreadable(
        `the embedding of the photo ${quoted(name)} has numbers that are not finite`,
      );
    }
    const thumbnail = entry(entries, thumbnailName(hash));
    if (thumbnail.length > MAX_THUMBNAIL_BYTES || thumbnail[0] !== 0xff || thumbnail[1] !== 0xd8) {
      throw unreadable(`${thumbnailName(hash)} is no JPEG file of at most 1 MB`);
    }
    photos.push({ hash, name, classId: owner.id, time, model, embedding });
    images.push({ hash, thumbnail: thumbnail.slice().buffer, width, height, pixels: pixels[i]! });
  });
  return { classes, photos, images };
}

function readManifest(
  entries: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): v.InferOutput<typeof manifestSchema> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(entry(entries, MANIFEST!)));
  } catch (error) {
    if (error instanceof SyntaxError && error.message.startsWith(FAILURE)) throw error;
    throw unreadable(`${MANIFEST} is not JSON`);
  }
  const { format, version } = json as { format?: unknown; version?: unknown } ?? {};
  if (format !== FORMAT) throw unreadable(`${MANIFEST} is not one of a project of this page`);
  if (version !== VERSION) {
    throw unreadable(`it has version ${version}, and this page reads version ${VERSION}`);
  }
  const { success, output, issues } = v.safeParse(manifestSchema, json);
  if (success) return output;
  const [issue] = issues;
  throw unreadable(`in ${MANIFEST}, ${v.getDotPath(issue) ?? "it"} is wrong: ${issue.message}`);
}

/** Copies of the pieces, which an entry holds one after the other. */
function piecesOf(
  entries: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  name: string,
  sizes: readonly number[],
): ArrayBuffer[] {
  const content = entry(entries, name);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (content.length !== total) {
    throw unreadable(`${name} has ${content.length} bytes, and the manifest says ${total}`);
  }
  let at = 0;
  return sizes.map((size) => content.slice(at, at += size).buffer as ArrayBuffer);
}

function entry(
  entries: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  name: string,
): Uint8Array<ArrayBuffer> {
  const content = entries.get(name);
  if (!content) throw unreadable(`it has no ${name}`);
  return content;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function thumbnailName(hash: string): string {
  return `thumbnails/${hash}.jpg`;
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

const FAILURE = "Cannot read the project";

function unreadable(what: string): SyntaxError {
  return new SyntaxError(`${FAILURE}: ${what}`);
}
