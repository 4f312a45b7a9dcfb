import type { FileRange } from "../vector_index.ts";
import type { SqlRow } from "./sql_client.ts";

/** An image of a row with its columns. */
export function imageOf({ path, label, container, start, size }: SqlRow): {
  path: string;
  label?: string;
  range?: FileRange;
} {
  return {
    path: path as string,
    ...(label === null ? {} : { label: label as string }),
    ...(container === null
      ? {}
      : { range: { file: container as string, offset: Number(start), size: Number(size) } }),
  };
}
