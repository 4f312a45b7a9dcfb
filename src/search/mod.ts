/**
 * An index of images by their vectors: {@linkcode EmbeddedIndex} keeps them in a SQLite file and a flat file beside
 * it, and finds the true neighbours of a query; it runs in Deno and in Node.js from 22.13 on.
 * {@linkcode PostgresIndex} keeps them in Postgres with pgvector, for any number of machines, and runs wherever a
 * driver does. Both take vectors and know no model; `model.embed` makes them.
 *
 * @module
 */

export { type DuplicateThreshold, duplicateThreshold } from "./duplicate_threshold.ts";
export { EmbeddedIndex, type EmbeddedIndexOptions } from "./embedded/embedded_index.ts";
export type { LockOptions } from "./embedded/writer_lock.ts";
export { type DuplicateGroup, nearDuplicates } from "./near_duplicates.ts";
export { parseFilter } from "./parse_filter.ts";
export { IndexSchema } from "./postgres/index_schema.ts";
export {
  type OpenPostgresOptions,
  PostgresIndex,
  type PostgresIndexOptions,
} from "./postgres/postgres_index.ts";
export {
  MissingVectorError,
  type PostgresPutOptions,
  PostgresWriter,
  type WriterTarget,
} from "./postgres/postgres_writer.ts";
export { schemaSql } from "./postgres/schema_sql.ts";
export type { SqlClient, SqlRow } from "./postgres/sql_client.ts";
export type { Hit } from "./scan/top_hits.ts";
export { VectorScan, type VectorScanOptions } from "./scan/vector_scan.ts";
export type {
  FailedImage,
  FileRange,
  Forgotten,
  ImageFilter,
  IndexCounts,
  IndexedImage,
  IndexedModel,
  IndexWriter,
  ListedImage,
  Neighbour,
  PairOptions,
  PutOptions,
  ReadImage,
  SearchOptions,
  VectorIndex,
} from "./vector_index.ts";
