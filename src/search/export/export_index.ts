import { basename, dirname, join } from "@std/path";
import { writeSafetensors } from "../../checkpoint/safetensors.ts";
import { writeErrorMessage } from "../../hub/file_error.ts";
import { fileSystem } from "../../hub/file_system.ts";
import { writeFile } from "../../hub/write_file.ts";
import { bytesOfHalves } from "../half_bytes.ts";
import type { IndexedImage, IndexedModel, VectorIndex } from "../vector_index.ts";
import { npyHeader } from "./npy.ts";

/** The formats of {@linkcode exportIndex}. */
export const EXPORT_FORMATS = ["npy", "safetensors", "parquet"] as const;

/** A format of {@linkcode exportIndex}. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Images of a shard: with 384 numbers each, 38 MB in float16. */
const SHARD = 50_000;

/**
 * Writes an index into a new folder, in shards of at most 50,000 images: `embeddings-00000.npy` or
 * `.safetensors`, float16 [images, D], with rows of length 1; `images-00000.jsonl`, with a line of path, label
 * and SHA-256 for each row; `index.json`, which says what made the vectors. The folder gets its name when it is
 * whole.
 *
 * @throws {Error} if there is something of that name, or it cannot be written.
 */
export async function exportIndex(
  index: VectorIndex,
  folder: string,
  format: ExportFormat,
  shardSize: number = SHARD,
): Promise<{ images: number; shards: number }> {
  const { mkdir, rename, rm, stat } = fileSystem();
  if (await stat(folder).catch(() => undefined)) {
    throw new Error(`Cannot write ${folder}: it exists; choose another name`);
  }
  const target = folder.replace(/\/+$/, "");
  const unfinished = join(dirname(target), `${basename(target)}.${crypto.randomUUID()}.unfinished`);
  try {
    await mkdir(unfinished);
  } catch (error) {
    throw new Error(`Cannot write ${folder}: ${writeErrorMessage(error)}`);
  }
  try {
    let [images, shards] = [0, 0];
    let shard: IndexedImage[] = [];
    const flush = async () => {
      await writeShard(join(unfinished, "embeddings-"), shards++, shard, index.model, format);
      images += shard.length;
      shard = [];
    };
    for await (const image of index.images()) {
      shard.push(image);
      if (shard.length === shardSize) await flush();
    }
    if (shard.length > 0 || shards === 0) await flush();
    const about = {
      ...index.model,
      dtype: format === "parquet" ? "float32" : "float16",
      normalized: true,
      images,
      shards,
    };
    await writeFile(join(unfinished, "index.json"), [text(JSON.stringify(about, null, 2) + "\n")]);
    await rename(unfinished, target);
    return { images, shards };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function writeShard(
  prefix: string,
  number: number,
  images: readonly IndexedImage[],
  { dimension }: IndexedModel,
  format: ExportFormat,
): Promise<void> {
  const name = String(number).padStart(5, "0");
  if (format === "parquet") {
    // Loaded here, so that nothing else needs the package.
    const { writeParquet } = await import("./parquet.ts");
    return await writeFile(`${prefix}${name}.parquet`, writeParquet(images));
  }
  const data = new Uint16Array(images.length * dimension);
  images.forEach(({ vector }, i) => data.set(vector, i * dimension));
  const shape = [images.length, dimension];
  const chunks = format === "npy"
    ? [npyHeader(images.length, dimension), bytesOfHalves(data)]
    : [writeSafetensors(new Map([["embeddings", { dtype: "float16", shape, data }]]))];
  await writeFile(`${prefix}${name}.${format}`, chunks);
  const lines = images.map(({ path, label, sha256 }) =>
    JSON.stringify({ path, label, sha256 }) + "\n"
  );
  await writeFile(`${prefix.replace(/embeddings-$/, "images-")}${name}.jsonl`, lines.map(text));
}

function text(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
