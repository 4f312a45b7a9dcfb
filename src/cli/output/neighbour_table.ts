import type { Neighbour } from "../../search/vector_index.ts";
import { printable } from "./printable.ts";

/** Formats the neighbours of a photo as text: the photo's name, then a line for each. */
export function neighbourTable(file: string, neighbours: readonly Neighbour[]): string {
  const lines = neighbours.map(({ path, label, similarity }) =>
    `  ${similarity.toFixed(4).padStart(7)}  ${printable(path)}${
      label === undefined ? "" : `  (${printable(label)})`
    }`
  );
  return [printable(file), ...lines.length > 0 ? lines : ["  no image matches"], ""].join("\n");
}
