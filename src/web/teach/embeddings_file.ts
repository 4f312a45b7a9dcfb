/** A photo with its embedding. */
export interface EmbeddedPhoto {
  readonly label: string;
  readonly name: string;
  readonly embedding: Float32Array;
}

/**
 * Writes embeddings as JSON lines, as `deno task embed` prints them. `file` is the path of the photo in a folder
 * with a subfolder for each class.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { embeddingsFile } from "./embeddings_file.ts";
 *
 * const photo = { label: "cat", name: "tom.jpg", embedding: Float32Array.of(0.5, 1) };
 * assertEquals(embeddingsFile([photo]), '{"file":"cat/tom.jpg","embedding":[0.5,1]}\n');
 * ```
 */
export function embeddingsFile(photos: readonly EmbeddedPhoto[]): string {
  return photos
    .map(({ label, name, embedding }) =>
      JSON.stringify({ file: `${label}/${name}`, embedding: Array.from(embedding, rounded) }) + "\n"
    )
    .join("");
}

/** Nine significant digits are a float32 exactly. */
function rounded(x: number): number {
  return Number(x.toPrecision(9));
}
