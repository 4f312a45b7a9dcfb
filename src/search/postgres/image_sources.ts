import type { IndexSchema } from "./index_schema.ts";
import { retried } from "./retried.ts";
import type { SqlClient } from "./sql_client.ts";

/** The sources of an index that list a path, by their names. */
export async function sourcesOfImage(
  client: SqlClient,
  schema: IndexSchema,
  path: string,
): Promise<string[]> {
  const rows = await retried(() =>
    client.query(
      `select name from ${schema.table("image")} image
      join ${schema.table("source")} source on source.id = image.source
      where path = $1 order by name collate "C"`,
      [path],
    )
  );
  return rows.map(({ name }) => name as string);
}

/**
 * Forgets an image that is gone, whichever sources listed it.
 *
 * @returns whether the index had it.
 */
export async function forgetImage(
  client: SqlClient,
  schema: IndexSchema,
  path: string,
): Promise<boolean> {
  const rows = await retried(() =>
    client.query(`delete from ${schema.table("image")} where path = $1 returning 1 as one`, [path])
  );
  return rows.length > 0;
}
