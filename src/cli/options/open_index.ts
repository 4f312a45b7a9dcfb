import { EmbeddedIndex, type EmbeddedIndexOptions } from "../../search/embedded/embedded_index.ts";
import { connectPostgres } from "../../search/postgres/connect.ts";
import { isPostgresUrl, readPostgresAddress } from "../../search/postgres/postgres_address.ts";
import { PostgresIndex } from "../../search/postgres/postgres_index.ts";
import type { IndexedModel, VectorIndex } from "../../search/vector_index.ts";

/** Opens the index of `--db`, a file or the address of a Postgres server, to search it. */
export async function openIndex(
  db: string,
  options: EmbeddedIndexOptions = {},
): Promise<VectorIndex> {
  if (!isPostgresUrl(db)) return await EmbeddedIndex.open(db, options);
  const owned = await connectPostgres(db);
  const { schema, name } = owned;
  return await PostgresIndex.open(owned, { schema, name, owned, model: options.model });
}

/** Opens the index of `--db` to write to it, and makes it if there is none. */
export async function createIndex(
  db: string,
  model: IndexedModel,
  options: Omit<EmbeddedIndexOptions, "model"> = {},
): Promise<VectorIndex> {
  return isPostgresUrl(db)
    ? await createPostgresIndex(db, model)
    : await EmbeddedIndex.create(db, model, options);
}

/** {@linkcode createIndex} of the address of a Postgres server. */
export async function createPostgresIndex(
  db: string,
  model: IndexedModel,
): Promise<PostgresIndex> {
  const owned = await connectPostgres(db);
  const { schema, name } = owned;
  return await PostgresIndex.create(owned, model, { schema, name, owned });
}

/** What `--db` is called in messages: without the password of an address. */
export function indexName(db: string): string {
  return isPostgresUrl(db) ? readPostgresAddress(db).name : db;
}
