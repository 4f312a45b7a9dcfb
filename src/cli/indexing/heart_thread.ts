// The thread of Heart: it beats for the jobs that its worker holds.

import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { workerScope } from "../../host/worker_scope.ts";
import { connectPostgres, type PostgresConnection } from "../../search/postgres/connect.ts";
import { beat } from "../../search/queue/beat.ts";
import type { HeldJob } from "../../search/queue/index_job.ts";
import { openQueue } from "../../search/queue/index_queue.ts";
import { BEAT_SECONDS, HEARTBEAT_SECONDS } from "../../search/queue/queue_settings.ts";
import { seeWorker } from "../../search/queue/queue_worker.ts";

/** A message to the thread: first whose heart it is, then what its worker holds, whenever that changes. */
export type HeartMessage =
  | { readonly db: string; readonly worker: string }
  | { readonly held: readonly Pick<HeldJob, "id" | "retryCount">[] };

const scope = workerScope<HeartMessage, never>();
let held: readonly Pick<HeldJob, "id" | "retryCount">[] = [];

scope.onmessage = ({ data }) => {
  if ("held" in data) held = data.held;
  else live(data.db, data.worker);
};

/** The main thread says what is wrong with the server; this one tries again and again. */
async function live(db: string, worker: string): Promise<never> {
  let connection: PostgresConnection | undefined;
  for (;;) {
    try {
      connection ??= await connectPostgres(db, { connections: 1 });
      const opened = openQueue(connection, connection.schema, { create: false });
      const queue = await deadline(opened, HEARTBEAT_SECONDS * 1000);
      while (queue) {
        const beaten = beat(queue, held).then(() => seeWorker(queue, worker));
        await deadline(beaten, HEARTBEAT_SECONDS * 1000);
        await delay(BEAT_SECONDS * 1000);
      }
    } catch {
      // A connection that does not answer is given up.
      connection?.[Symbol.asyncDispose]().then(() => {}, () => {});
      connection = undefined;
    }
    await delay(1000);
  }
}
