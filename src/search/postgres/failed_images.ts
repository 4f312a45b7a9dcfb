import type { IndexSchema } from "./index_schema.ts";
import type { SqlClient } from "./sql_client.ts";

/** Images of an index that could not be read or decoded. */
export interface FailedImages {
  readonly count: number;
  /** Some of them. */
  readonly first: readonly {
    readonly source: string;
    readonly path: string;
    readonly error: string;
  }[];
}

/**
 * Reads which images of an index failed, and why.
 *
 * @param limit the most to list.
 */
export async function readFailedImages(
  client: SqlClient,
  schema: IndexSchema,
  limit: number,
): Promise<FailedImages> {
  const from = `from ${schema.table("image")} image where error is not null`;
  const [row] = await client.query(`select count(*) as count ${from}`);
  const rows = await client.query(
    `select path, error, (select name from ${
      schema.table("source")
    } where id = image.source) as source
     ${from} order by source, path limit ${limit}`,
  );
  return {
    count: Number(row!.count),
    first: rows.map(({ source, path, error }) => ({
      source: source as string,
      path: path as string,
      error: error as string,
    })),
  };
}
