import { connectPostgres } from "../../search/postgres/connect.ts";
import { openQueue } from "../../search/queue/index_queue.ts";
import { removeJobs } from "../../search/queue/remove_jobs.ts";

/** Removes the jobs of a source, also from workers, if the index of an address has a queue. */
export async function forgetJobs(db: string, source: string): Promise<void> {
  await using connection = await connectPostgres(db, { connections: 1 });
  const queue = await openQueue(connection, connection.schema, { create: false });
  await queue?.client.transaction((client) =>
    removeJobs(client, queue.schema, source, { alsoTaken: true })
  );
}
