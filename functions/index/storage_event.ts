import * as v from "valibot";
import { isImageName } from "../../src/dataset/image_files.ts";
import { s3Url } from "../../src/dataset/s3/s3_url.ts";
import { validate } from "../../src/http/request/validate.ts";
import type { ListedImage } from "../../src/search/vector_index.ts";

/** What a change of Storage means for an index. */
export interface StorageChange {
  /** The source of the image that is there now. */
  readonly source?: string;
  readonly written?: ListedImage;
  /** The path of an image that is there no more. */
  readonly gone?: string;
}

/** A name that Postgres can store. */
const NAME = v.pipe(
  v.string(),
  v.check(
    (text) => text !== "" && text.isWellFormed() && !text.includes("\0"),
    "a text of one character or more, without NUL and halves of characters",
  ),
);

/** A row of `storage.objects`, as far as it matters. */
const OBJECT = v.object({
  bucket_id: NAME,
  name: NAME,
  updated_at: v.nullish(v.string()),
  metadata: v.nullish(v.looseObject({
    size: v.nullish(
      v.pipe(v.number(), v.check((n) => Number.isSafeInteger(n) && n >= 0, "an integer from 0 on")),
    ),
  })),
});

/** @see https://supabase.com/docs/guides/database/webhooks */
const EVENT = v.object({
  type: v.picklist(["INSERT", "UPDATE", "DELETE"]),
  schema: v.literal("storage"),
  table: v.literal("objects"),
  record: v.nullish(OBJECT),
  old_record: v.nullish(OBJECT),
});

/**
 * Reads what a trigger of `storage.objects` sends. Only images count, as in folders: names with a leading dot do not.
 *
 * @throws {Problem} 400 if it is another body; it names the first member that does not fit.
 */
export function readStorageEvent(body: unknown): StorageChange {
  const { type, record, old_record: old } = validate(EVENT, body);
  if (type === "DELETE") validate(v.object({ old_record: OBJECT }), body);
  else validate(v.object({ record: OBJECT }), body);
  const written = type === "DELETE" ? undefined : imageOf(record!);
  const gone = old ? imageOf(old)?.path : undefined;
  return {
    ...(written ? { written, source: s3Url(record!.bucket_id, "") } : {}),
    ...(gone !== undefined && gone !== written?.path ? { gone } : {}),
  };
}

/** An object as an image of an index; undefined if it is no image. */
function imageOf(
  { bucket_id: bucket, name, updated_at: updated, metadata }: v.InferOutput<typeof OBJECT>,
): ListedImage | undefined {
  const folders = name.split("/");
  if (!isImageName(name) || folders.some((folder) => folder.startsWith("."))) return undefined;
  const modified = Date.parse(updated ?? "");
  return {
    path: s3Url(bucket, name),
    size: metadata?.size ?? 0,
    ...(folders.length > 1 ? { label: folders[0]! } : {}),
    ...(Number.isNaN(modified) || !metadata?.size ? {} : { modified }),
  };
}
