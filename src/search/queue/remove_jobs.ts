import type { SqlClient } from "../postgres/sql_client.ts";
import { DEAD_QUEUE, INDEX_QUEUE } from "./queue_settings.ts";

/**
 * Removes a source's jobs that wait, and those that failed for good.
 *
 * @param schema the queue's, quoted.
 * @param alsoTaken whether to remove those that workers have taken, too: these then write nothing.
 */
export async function removeJobs(
  client: SqlClient,
  schema: string,
  source: string,
  { alsoTaken = false }: { readonly alsoTaken?: boolean } = {},
): Promise<void> {
  const states = ["created", "retry", "failed", ...(alsoTaken ? ["active"] : [])];
  await client.query(
    `delete from ${schema}.job
     where name = '${INDEX_QUEUE}' and state::text = any($2::text[]) and data->>'source' = $1`,
    [source, states],
  );
  await client.query(
    `delete from ${schema}.job where name = '${DEAD_QUEUE}' and data->>'source' = $1`,
    [source],
  );
}
