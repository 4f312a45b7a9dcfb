import { resolve } from "@std/path";
import { fileTimes } from "../../dataset/file_times.ts";
import type { PhotoFile } from "../../dataset/image_files.ts";
import { findPretrainingImages } from "../../dataset/photo_sources.ts";
import { findS3Images, s3SourceName } from "../../dataset/s3/s3_images.ts";
import { isS3Url } from "../../dataset/s3/s3_url.ts";
import { errorMessage } from "../command.ts";
import { urlText } from "../options/url_argument.ts";
import type { SourceImage } from "./embedded_batches.ts";

/** A source that cannot be listed: the others go on. */
export class SourceError extends Error {
  override name = "SourceError";
}

/** A source's name in the index: the same one from any folder. */
export function sourceName(source: string): string {
  return isS3Url(source) ? s3SourceName(source) : resolve(source);
}

/**
 * Lists the images of a source. An `error` stands for a folder in it that cannot be read, which may have images
 * still.
 *
 * @throws {SourceError} if the source cannot be listed.
 */
export async function listSource(
  source: string,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<SourceImage[]> {
  let files: PhotoFile[];
  try {
    files = isS3Url(source)
      ? await findS3Images(source, warn, { signal })
      : await findPretrainingImages([source], warn, urlText);
  } catch (error) {
    signal.throwIfAborted();
    throw new SourceError(errorMessage(error), { cause: error });
  }
  const timesOf = fileTimes(Date.now());
  return files.map((file) => {
    const { label, range } = file;
    return { file, image: { path: file.file, label, range, ...timesOf(file) } };
  });
}
