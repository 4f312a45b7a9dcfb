/** An object that a bucket lists. */
export interface S3Object {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since 1970. */
  readonly modified: number;
}

/** A part of a bucket's list. */
export interface S3Page {
  readonly objects: readonly S3Object[];
  /** What asks for the next part; undefined in the last one. */
  readonly next?: string | undefined;
}

/**
 * Reads an answer of `ListObjectsV2`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 * @returns undefined if it is no such answer.
 */
export function readS3Page(xml: string): S3Page | undefined {
  if (!/<ListBucketResult[\s>]/.test(xml)) return undefined;
  const outside = xml.replace(/<Contents>.*?<\/Contents>/gs, "");
  const isEncoded = textOf(outside, "EncodingType") === "url";
  const objects: S3Object[] = [];
  for (const [, contents] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
    const key = textOf(contents!, "Key");
    const size = Number(textOf(contents!, "Size"));
    const modified = Date.parse(textOf(contents!, "LastModified") ?? "");
    if (!key || !Number.isSafeInteger(size) || size < 0 || Number.isNaN(modified)) return undefined;
    try {
      // Encoded as in forms.
      const decoded = isEncoded ? decodeURIComponent(key.replaceAll("+", " ")) : key;
      objects.push({ key: decoded, size, modified });
    } catch {
      return undefined;
    }
  }
  const next = textOf(outside, "NextContinuationToken");
  if (textOf(outside, "IsTruncated")?.trim() !== "true") return { objects };
  return next ? { objects, next } : undefined;
}

/** The code and the message of an error's answer, such as `NoSuchKey`. */
export function readS3Error(xml: string): { code?: string; message?: string; region?: string } {
  if (!/<Error[\s>]/.test(xml)) return {};
  const [code, message, region] = ["Code", "Message", "Region"].map((tag) => textOf(xml, tag));
  return { ...(code && { code }), ...(message && { message }), ...(region && { region }) };
}

/** The text in the first element of a name. */
function textOf(xml: string, tag: string): string | undefined {
  const [, text] = new RegExp(`<${tag}(?:\\s[^>]*)?>([^<]*)</${tag}>`).exec(xml) ?? [];
  return text?.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};
