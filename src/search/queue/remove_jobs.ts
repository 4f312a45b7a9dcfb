import type { SqlClient } from "../postgres/sql_client.ts";
import { DEAD_QUEUE, INDEX_QUEUE } from "./queue_settings.ts";

/**
 * Removes a source's jobs that wait, and those that failed for good. Those that workers have taken stay.
 *
 * @param schema the queue's, quoted.
 */
export async function removeJobs(client: SqlClient, schema: string, source: string): Promise<void> {
  await client.query(
    `delete from ${schema}.job
     where name = '${INDEX_QUEUE}' and state in ('created', 'retry', 'failed') and data->>'source' = $1`,
    [source],
  );
  await client.query(
    `delete from ${schema}.job where name = '${DEAD_QUEUE}' and data->>'source' = $1`,
    [source],
  );
}
