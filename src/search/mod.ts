/**
 * An index of images by their vectors: {@linkcode EmbeddedIndex} keeps them in a SQLite file and a flat file beside
 * it, and finds the true neighbours of a query. It takes vectors and knows no model; `model.embed` makes them.
 * It runs in Deno and in Node.js from 22.13 on.
 *
 * @module
 */

export { type DuplicateThreshold, duplicateThreshold } from "./duplicate_threshold.ts";
export { EmbeddedIndex, type EmbeddedIndexOptions } from "./embedded/embedded_index.ts";
export type { LockOptions } from "./embedded/writer_lock.ts";
export { type DuplicateGroup, nearDuplicates } from "./near_duplicates.ts";
export { parseFilter } from "./parse_filter.ts";
export type { Hit } from "./scan/top_hits.ts";
export { VectorScan } from "./scan/vector_scan.ts";
export type {
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
  ReadImage,
  SearchOptions,
  VectorIndex,
} from "./vector_index.ts";
