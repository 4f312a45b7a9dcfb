import { EmbeddedIndex, type EmbeddedIndexOptions } from "../../search/embedded/embedded_index.ts";
import { isPostgresUrl, readPostgresAddress } from "../../search/postgres/postgres_address.ts";
import type { IndexedModel, VectorIndex } from "../../search/vector_index.ts";
import { createPostgres, openPostgres } from "./open_postgres.ts";

/** Opens the index of `--db`, a file or the address of a Postgres server, to search it. */
export async function openIndex(
  db: string,
  options: EmbeddedIndexOptions = {},
): Promise<VectorIndex> {
  if (!isPostgresUrl(db)) return await EmbeddedIndex.open(db, options);
  return (await openPostgres(db, options.model)).index;
}

/** Opens the index of `--db` to write to it, and makes it if there is none. */
export async function createIndex(
  db: string,
  model: IndexedModel,
  options: Omit<EmbeddedIndexOptions, "model"> = {},
): Promise<VectorIndex> {
  if (!isPostgresUrl(db)) return await EmbeddedIndex.create(db, model, options);
  return (await createPostgres(db, model)).index;
}

/** What `--db` is called in messages: without the password of an address. */
export function indexName(db: string): string {
  return isPostgresUrl(db) ? readPostgresAddress(db).name : db;
}
