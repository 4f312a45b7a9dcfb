/** A photo with its embedding. */
export interface EmbeddedPhoto {
  /** Its path in a folder with a subfolder for each class. */
  readonly file: string;
  readonly embedding: Float32Array;
}

/**
 * Writes embeddings as JSON lines, as `deno task embed` prints them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { embeddingsFile } from "./embeddings_file.ts";
 *
 * const photo = { file: "cat/tom.jpg", embedding: Float32Array.of(0.5, 1) };
 * assertEquals(embeddingsFile([photo]), '{"file":"cat/tom.jpg","embedding":[0.5,1]}\n');
 * ```
 */
export function embeddingsFile(photos: readonly EmbeddedPhoto[]): string {
  return photos
    .map(({ file, embedding }) =>
      JSON.stringify({ file, embedding: Array.from(embedding, rounded) }) + "\n"
    )
    .join("");
}

/** Nine significant digits are a float32 exactly. */
function rounded(x: number): number {
  return Number(x.toPrecision(9));
}
