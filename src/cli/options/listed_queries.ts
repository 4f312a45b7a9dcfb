import type { ComputedImage } from "../../dataset/computed_images.ts";
import type { ImageFile } from "../../dataset/image_files.ts";
import { readErrorMessage } from "../../hub/file_error.ts";
import type { VectorIndex } from "../../search/vector_index.ts";
import { urlText } from "./url_argument.ts";

/** Paths that are looked up and searched for at a time. */
const BATCH = 256;

/** How the queries of a list are answered. */
export interface ListedQueryOptions<Result> {
  /** Computes the results of vectors, in their order. */
  readonly search: (vectors: readonly Float32Array[]) => Promise<readonly Result[]>;
  /** Computes the results of files, in their order. Called only if there are some to read. */
  readonly compute: (files: readonly ImageFile[]) => AsyncGenerator<ComputedImage<Result>>;
}

/**
 * Answers a list of paths. A path that the index has is searched for by its own vector there, without its
 * file; any other is a file that is read.
 *
 * @yields a result or an error for each path, in the order of the paths.
 */
export async function* listedQueries<Result>(
  paths: readonly string[],
  index: Pick<VectorIndex, "vectors">,
  { search, compute }: ListedQueryOptions<Result>,
): AsyncGenerator<ComputedImage<Result>> {
  for (let from = 0; from < paths.length; from += BATCH) {
    const batch = paths.slice(from, from + BATCH);
    const vectors = await index.vectors(batch);
    const known = vectors.filter((vector) => vector !== undefined);
    const found = (known.length > 0 ? await search(known) : []).values();
    const files = await Promise.all(batch.map((path, i) => vectors[i] ? undefined : fileOf(path)));
    const readable = files.flatMap((file) => !file || file.error !== undefined ? [] : file);
    const computed = readable.length > 0 ? compute(readable) : undefined;
    try {
      for (const [i, path] of batch.entries()) {
        const { file, error } = files[i] ?? { file: path };
        if (vectors[i]) yield { file, result: found.next().value! };
        else if (error !== undefined) yield { file, error };
        else yield (await computed!.next()).value;
      }
    } finally {
      await computed?.return(undefined); // ends its workers
    }
  }
}

async function fileOf(path: string): Promise<ImageFile> {
  const file = path === "-" ? "./-" : path; // not standard input
  try {
    const { isDirectory } = await Deno.stat(file);
    return isDirectory ? { file, error: "it is a folder; name an image" } : { file };
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    const reason = isMissing
      ? urlText(file) ?? "the index has no image of this path, and there is no such file"
      : readErrorMessage(error);
    return { file, error: reason };
  }
}
