import { S3Client, type S3ClientOptions } from "./s3_client.ts";
import { readS3Settings, type S3Settings } from "./s3_settings.ts";
import { parseS3Url } from "./s3_url.ts";

/**
 * Reads an object of S3, by default with the settings of the environment.
 *
 * @throws {Error} if it cannot be read or has more than `maxBytes`; the message fits after its name.
 */
export async function readS3Object(
  url: string,
  maxBytes: number,
  { settings, ...options }: S3ClientOptions & { readonly settings?: S3Settings } = {},
): Promise<Uint8Array> {
  const { bucket, key } = parseS3Url(url);
  const client = new S3Client(settings ?? readS3Settings(Deno.env), options);
  return await client.read(bucket, key, maxBytes);
}
