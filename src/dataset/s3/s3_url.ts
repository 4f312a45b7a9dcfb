/** Where an object is, or, with a prefix in place of a key, several are. */
export interface S3Address {
  readonly bucket: string;
  /** As it is, not percent-encoded; empty for all of the bucket. */
  readonly key: string;
}

/** Whether a path is an address of S3. */
export function isS3Url(path: string): boolean {
  return /^s3:\/\//i.test(path);
}

/**
 * Reads `s3://bucket/key`. As in Amazon's tools, the key is written as it is, not percent-encoded.
 *
 * @throws {Error} if it names no bucket.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseS3Url } from "./s3_url.ts";
 *
 * assertEquals(parseS3Url("s3://photos/100%/a b.jpg"), { bucket: "photos", key: "100%/a b.jpg" });
 * assertEquals(parseS3Url("s3://photos"), { bucket: "photos", key: "" });
 * ```
 */
export function parseS3Url(url: string): S3Address {
  const [, bucket, key = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(url) ?? [];
  // Servers allow more names than Amazon; these characters would lead to another address.
  if (!bucket || /[\s?#%\\@:]|^\.+$/.test(bucket)) {
    throw new Error(`${url}: it names no bucket; write s3://BUCKET or s3://BUCKET/FOLDER`);
  }
  return { bucket, key };
}

/** Writes the address of an object. */
export function s3Url(bucket: string, key: string): string {
  return key === "" ? `s3://${bucket}` : `s3://${bucket}/${key}`;
}
