import type { IndexedModel } from "../vector_index.ts";
import type { Database } from "./sqlite.ts";

/** What a database says of its flat file. */
export interface VectorsMeta {
  /** The number in the flat file's name: another one for each time that it is written anew. */
  readonly generation: number;
  /** The slots in it, dead ones among them. */
  readonly slots: number;
  /** Of all slots; see `VectorScan.checksum`. */
  readonly checksum: number;
  /** Goes up with each transaction that changes the index. */
  readonly revision: number;
}

/** The flat file of a new index. */
export const NO_VECTORS: VectorsMeta = { generation: 1, slots: 0, checksum: 0, revision: 0 };

/** Reads what the database says of its flat file. */
export function readVectorsMeta(db: Database): VectorsMeta {
  return JSON.parse(readMeta(db, "vectors")!);
}

/** Writes it, in the transaction that is under way, with the next revision. */
export function writeVectorsMeta(db: Database, meta: VectorsMeta): VectorsMeta {
  const next = { ...meta, revision: meta.revision + 1 };
  writeMeta(db, "vectors", JSON.stringify(next));
  return next;
}

/** Reads what made the vectors. */
export function readIndexedModel(db: Database): IndexedModel {
  return JSON.parse(readMeta(db, "model")!);
}

/** Writes what made the vectors. */
export function writeIndexedModel(db: Database, model: IndexedModel): void {
  writeMeta(db, "model", JSON.stringify(model));
}

/** Counts one more run of a writer and returns its number. */
export function nextRun(db: Database): number {
  const run = Number(readMeta(db, "run") ?? 0) + 1;
  writeMeta(db, "run", String(run));
  return run;
}

function readMeta(db: Database, key: string): string | undefined {
  const row = db.prepare("select value from meta where key = ?").get(key);
  return row?.value as string | undefined;
}

function writeMeta(db: Database, key: string, value: string): void {
  db.prepare("insert or replace into meta (key, value) values (?, ?)").run(key, value);
}
