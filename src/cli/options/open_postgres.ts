import { connectPostgres, type PostgresConnection } from "../../search/postgres/connect.ts";
import { PostgresIndex } from "../../search/postgres/postgres_index.ts";
import type { IndexedModel } from "../../search/vector_index.ts";

/** The index of a Postgres server, and its connections, which end with it. */
export interface OpenedPostgres {
  readonly index: PostgresIndex;
  readonly connection: PostgresConnection;
}

/**
 * Opens the index of an address to search it.
 *
 * @param model what makes the queries; another model than the index's is refused. Default: no check.
 */
export async function openPostgres(address: string, model?: IndexedModel): Promise<OpenedPostgres> {
  const connection = await connectPostgres(address);
  const { schema, name } = connection;
  const index = await PostgresIndex.open(connection, { schema, name, owned: connection, model });
  return { index, connection };
}

/** Opens the index of an address to write to it, and makes it if there is none. */
export async function createPostgres(
  address: string,
  model: IndexedModel,
): Promise<OpenedPostgres> {
  const connection = await connectPostgres(address);
  const { schema, name } = connection;
  const index = await PostgresIndex.create(connection, model, { schema, name, owned: connection });
  return { index, connection };
}
