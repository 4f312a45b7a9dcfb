import { isImageName, type PhotoFile } from "../image_files.ts";
import { isTableName } from "../labelled_table.ts";
import { isTarName } from "../tar_images.ts";
import { unreadKind, unreadText } from "../unread_images.ts";
import { S3Client, type S3ClientOptions } from "./s3_client.ts";
import { readS3Settings, type S3Settings } from "./s3_settings.ts";
import { parseS3Url, s3Url } from "./s3_url.ts";

/**
 * Finds the images in a bucket of S3, by default with the settings of the environment. As in folders, names with a leading
 * dot are skipped, and the folder right in the source that an image is in is its label.
 *
 * @param source `s3://bucket`, `s3://bucket/folder` with all that is below it, or an image.
 * @param warn called with a sentence on skipped objects.
 * @returns the images as the server lists them: in the order of their keys' bytes.
 * @throws {Error} if the list cannot be had or names no image; the message names the source.
 */
export async function findS3Images(
  source: string,
  warn: (message: string) => void,
  { settings, ...options }: S3ClientOptions & { readonly settings?: S3Settings } = {},
): Promise<PhotoFile[]> {
  const { bucket, key } = parseS3Url(s3SourceName(source));
  if (isTarName(key) || isTableName(key) || /\.txt$/i.test(key)) {
    throw new Error(
      `${source}: tables, lists and tar files are not read from S3; download it, or give a folder`,
    );
  }
  const isImage = isImageName(key) && !source.endsWith("/");
  const prefix = isImage || key === "" ? key : `${key}/`;
  const found: PhotoFile[] = [];
  const unread: string[] = [];
  try {
    const client = new S3Client(settings ?? readS3Settings(Deno.env), options);
    for await (const { key, size, modified } of client.list(bucket, prefix)) {
      if (isImage && key !== prefix) continue;
      const path = key.slice(isImage ? 0 : prefix.length).split("/");
      if (path.some((name) => name.startsWith("."))) continue;
      if (isImageName(key)) {
        found.push({
          file: s3Url(bucket, key),
          times: { size, ...(modified === undefined ? {} : { modified }) },
          ...(path.length > 1 && !isImage ? { label: path[0]! } : {}),
        });
      } else if (unreadKind(key) !== undefined) unread.push(key);
      if (isImage) break;
    }
  } catch (error) {
    throw new Error(`${source}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  if (found.length === 0) throw new Error(`${source}: ${nothingText(isImage, unread)}`);
  if (unread.length > 0) warn(`left out: ${unreadText(unread)}`);
  return found;
}

/** The name of a source in an index: the same one with and without slashes at its end. */
export function s3SourceName(source: string): string {
  const { bucket, key } = parseS3Url(source);
  return s3Url(bucket, key.replace(/\/+$/, ""));
}

function nothingText(isImage: boolean, unread: readonly string[]): string {
  if (isImage) return "no such object";
  if (unread.length > 0) return `no image that can be read, but ${unreadText(unread)}`;
  return "no image is there; a source is s3://BUCKET or s3://BUCKET/FOLDER, and patterns are not expanded";
}
