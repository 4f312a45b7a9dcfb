import type { HeldJob } from "./index_job.ts";
import type { IndexQueue } from "./index_queue.ts";
import { INDEX_QUEUE } from "./queue_settings.ts";

/**
 * A worker's heartbeat: it keeps the jobs that the worker holds, and returns to the queue those whose workers were
 * lost. Without any worker that beats, nothing comes back.
 */
export async function beat(
  { boss }: IndexQueue,
  held: readonly Pick<HeldJob, "id" | "retryCount">[],
): Promise<void> {
  // First its own: after a pause, they might be among the lost ones.
  if (held.length > 0) await boss.touch(INDEX_QUEUE, [...held]);
  await boss.supervise();
}
