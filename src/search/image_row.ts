import type { ListedImage } from "./vector_index.ts";

/** An image of a row of a database, by its columns. */
export function imageOf(
  { path, label, container, start, size }: Record<string, unknown>,
): Pick<ListedImage, "path" | "label" | "range"> {
  return {
    path: path as string,
    ...(label === null ? {} : { label: label as string }),
    ...(container === null
      ? {}
      : { range: { file: container as string, offset: Number(start), size: Number(size) } }),
  };
}
