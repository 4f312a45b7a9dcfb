import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { fromStoredVector } from "../stored_vector.ts";
import type { IndexedImage } from "../vector_index.ts";

/** Rows that are encoded at a time: more need more memory, and readers may take groups one by one. */
const GROUP = 5000;

/** Columns `path`, `label`, `sha256` and `embedding`, a list of float32, as readers of float16 are rare. Parquet has no list of a fixed size. */
const SCHEMA: ConstructorParameters<typeof ParquetWriter>[0]["schema"] = [
  { name: "root", num_children: 4 },
  { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
  { name: "label", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
  { name: "sha256", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
  { name: "embedding", converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
];

/**
 * Writes images as a Parquet file.
 *
 * @returns the file in pieces, in order.
 */
export function writeParquet(images: readonly IndexedImage[]): Uint8Array[] {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: SCHEMA, createdBy: "vit-msn-edge" });
  for (let from = 0; from < images.length; from += GROUP) {
    const some = images.slice(from, from + GROUP);
    parquet.write({
      columnData: [
        { name: "path", data: some.map(({ path }) => path) },
        { name: "label", data: some.map(({ label }) => label ?? null) },
        { name: "sha256", data: some.map(({ sha256 }) => sha256) },
        {
          name: "embedding",
          data: some.map(({ vector }) => Array.from(fromStoredVector(vector))),
          codec: "UNCOMPRESSED", // numbers that look random do not shrink
          statistics: false,
        },
      ],
      rowGroupSize: GROUP,
    });
  }
  parquet.finish();
  return [writer.getBytes()];
}
