import { sha256 } from "../tensor/sha256.ts";

/**
 * The ETag of results: the same images, options and model have the same one.
 *
 * @param model the model's own hash.
 * @param work what is done with the images, with all options that make a difference.
 */
export async function resultTag(
  images: readonly Uint8Array<ArrayBuffer>[],
  model: string,
  work: unknown,
): Promise<string> {
  const hashes = await Promise.all(images.map(sha256));
  const text = JSON.stringify([model, work, hashes]);
  const hash = await sha256(new TextEncoder().encode(text));
  return `"${hash.slice(0, 32)}"`;
}

/** Whether a client's `If-None-Match` has the tag. */
export function matchesTag(header: string | null, tag: string): boolean {
  return header?.match(/"[^"]*"/g)?.includes(tag) ?? false;
}
