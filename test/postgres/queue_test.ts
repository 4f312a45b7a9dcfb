// The queue of an index, with vectors that no model makes.

import { assertEquals, assertRejects } from "@std/assert";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import { beat } from "../../src/search/queue/beat.ts";
import { enqueue } from "../../src/search/queue/enqueue.ts";
import { type HeldJob, takeJob } from "../../src/search/queue/index_job.ts";
import { type IndexQueue, openQueue } from "../../src/search/queue/index_queue.ts";
import { removeJobs } from "../../src/search/queue/remove_jobs.ts";
import { isEmpty, queueStatus } from "../../src/search/queue/queue_status.ts";
import { endWorker, registerWorker } from "../../src/search/queue/queue_worker.ts";
import { failJob, type MakeVectors, workOnJob } from "../../src/search/queue/work_on_job.ts";
import type { ListedImage } from "../../src/search/vector_index.ts";
import { eachServer } from "./servers.ts";

const MODEL = { sha256: "00", name: "mine", pool: "cls", decode: "standard", dimension: 4 };
const WORKER = { id: "w", host: "here", rate: 2 };

function listed(count: number, from = 0): ListedImage[] {
  return Array.from(
    { length: count },
    (_, i) => ({ path: `${from + i}.jpg`, size: 9, modified: 1 }),
  );
}

/** A vector for each image; those whose path has an x fail. */
const make: MakeVectors = ({ images }) => {
  const isBad = ({ path }: ListedImage) => path.includes("x");
  return Promise.resolve({
    read: images.filter((image) => !isBad(image)).map((image) => ({
      ...image,
      sha256: parseInt(image.path).toString(16).padStart(4, "0"),
      vector: Float32Array.of(1, parseInt(image.path), 2, 3),
    })),
    failed: images.filter(isBad).map((image) => ({ ...image, error: "no image" })),
    left: [],
  });
};

async function open(client: SqlClient) {
  const index = await PostgresIndex.create(client, MODEL);
  const queue = await openQueue(client, "vit_msn", { create: true });
  const writer = await index.write();
  return { index, queue: queue!, writer };
}

async function taken(queue: IndexQueue): Promise<HeldJob> {
  const job = await takeJob(queue);
  if (!job) throw new Error("no job waits");
  return job;
}

/** Lets a job's next try begin now. */
async function skipBackoff({ client, schema }: IndexQueue) {
  await client.query(`update ${schema}.job set start_after = now() where state = 'retry'`);
}

/** Makes the last heartbeat of all jobs an old one, and has others look for lost jobs. */
async function loseJobs(queue: IndexQueue) {
  await queue.client.query(
    `update ${queue.schema}.job set heartbeat_on = now() - interval '11 seconds' where state = 'active'`,
  );
  await queue.client.query(`update ${queue.schema}.queue set monitor_claim_on = null`);
  await beat(queue, []);
  await skipBackoff(queue);
}

eachServer("workers do what was enqueued, and count it", async ({ client }) => {
  assertEquals(await openQueue(client, "vit_msn", { create: false }), undefined);
  const { index, queue, writer } = await open(client);
  const images = [...listed(39), { path: "x.jpg", size: 1 }];
  assertEquals(await enqueue(queue, { source: "photos", folder: "/", images: images }), {
    jobs: 2,
    images: 40,
    underWay: 0,
  });
  await registerWorker(queue, WORKER);
  const first = await taken(queue);
  const begun = await queueStatus(queue);
  assertEquals([begun.waiting, begun.active], [{ jobs: 1, images: 8 }, { jobs: 1, images: 32 }]);
  assertEquals((await workOnJob(queue, first, writer, WORKER, make)).images, 32);
  const second = await workOnJob(queue, await taken(queue), writer, WORKER, make);
  assertEquals([second.outcome, second.images, second.failed.length], ["completed", 7, 1]);
  assertEquals([await takeJob(queue), await isEmpty(queue)], [undefined, true]);
  assertEquals(await index.counts(), { images: 39, vectors: 39 });
  const { workers, failedImages, secondsLeft, rate } = await queueStatus(queue);
  assertEquals([rate, secondsLeft], [2, 0]);
  assertEquals(workers.map(({ silent: _, ...worker }) => worker), [
    { id: "w", host: "here", state: "live", images: 39, failed: 1, rate: 2 },
  ]);
  assertEquals(failedImages, {
    count: 1,
    first: [{ source: "photos", path: "x.jpg", error: "no image" }],
  });
  await endWorker(queue, "w");
  assertEquals((await queueStatus(queue)).workers.map(({ state }) => state), ["ended"]);
});

eachServer(
  "enqueueing again replaces what waits, and leaves what is under way",
  async ({ client }) => {
    const { index, queue, writer } = await open(client);
    await enqueue(queue, { source: "photos", folder: "/", images: listed(64) });
    await enqueue(queue, { source: "others", folder: "/", images: listed(5, 100) });
    const job = await taken(queue);
    const again = await enqueue(queue, { source: "photos", folder: "/", images: listed(100) });
    assertEquals(again, { jobs: 3, images: 68, underWay: 32 });
    const { waiting, active } = await queueStatus(queue);
    assertEquals([waiting.images, active.images], [73, 32]);
    let made = 0;
    const counting: MakeVectors = (job) => {
      made += job.images.length;
      return make(job);
    };
    await workOnJob(queue, job, writer, WORKER, counting);
    for (let job; (job = await takeJob(queue));) {
      await workOnJob(queue, job, writer, WORKER, counting);
    }
    assertEquals([made, (await index.counts()).images], [105, 105]);
  },
);

eachServer("a worker that lost its job writes nothing", async ({ client }) => {
  const { index, queue, writer } = await open(client);
  await enqueue(queue, { source: "photos", folder: "/", images: listed(1) });
  const lost = await taken(queue);
  await loseJobs(queue);
  const job = await taken(queue);
  assertEquals([job.id, job.retryCount], [lost.id, 1]);
  assertEquals((await workOnJob(queue, lost, writer, WORKER, make)).outcome, "lost");
  assertEquals((await index.counts()).images, 0);
  await failJob(queue, lost, "not mine any more");
  assertEquals((await queueStatus(queue)).active.jobs, 1);
  assertEquals((await workOnJob(queue, job, writer, WORKER, make)).outcome, "completed");
  // As if the answer of the transaction had been lost with the connection.
  assertEquals((await workOnJob(queue, job, writer, WORKER, make)).outcome, "completed");
  assertEquals((await queueStatus(queue)).workers[0]?.images, 1);
});

eachServer("a job with heartbeats stays with its worker", async ({ client }) => {
  const { queue } = await open(client);
  await enqueue(queue, { source: "photos", folder: "/", images: listed(40) });
  const jobs = [await taken(queue), await taken(queue)];
  await queue.client.query(
    `update ${queue.schema}.job set heartbeat_on = now() - interval '11 seconds'`,
  );
  await beat(queue, jobs.slice(0, 1));
  assertEquals((await queueStatus(queue)).active.jobs, 1);
});

eachServer(
  "a batch is split when it is tried again; what keeps failing is a dead letter until its source is enqueued again",
  async ({ client }) => {
    const { index, queue, writer } = await open(client);
    await enqueue(queue, { source: "photos", folder: "/", images: listed(3) });
    const fails: MakeVectors = (job) => {
      if (job.images.some(({ path }) => path === "1.jpg")) throw new Error("out of memory");
      return make(job);
    };
    let tries = 0;
    for (let job; (job = await takeJob(queue));) {
      try {
        await workOnJob(queue, job, writer, WORKER, fails);
      } catch (error) {
        tries++;
        await failJob(queue, job, (error as Error).message);
      }
      await skipBackoff(queue);
    }
    assertEquals([tries, await index.counts()], [6, { images: 2, vectors: 2 }]);
    const { deadJobs } = await queueStatus(queue);
    const dead = { source: "photos", paths: ["1.jpg"], tries: 5, error: "out of memory" };
    assertEquals(deadJobs, { count: 1, first: [dead] });
    const changed = await writer.list("photos", listed(3));
    assertEquals(changed, [false, true, false]);
    assertEquals(
      (await enqueue(queue, { source: "photos", folder: "/", images: listed(1, 1) })).jobs,
      1,
    );
    assertEquals((await queueStatus(queue)).deadJobs.count, 0);
    await workOnJob(queue, await taken(queue), writer, WORKER, make);
    assertEquals((await index.counts()).images, 3);
  },
);

eachServer("what a worker leaves of a job waits again at once", async ({ client }) => {
  const { index, queue, writer } = await open(client);
  await enqueue(queue, { source: "photos", folder: "/", images: listed(10) });
  const interrupted: MakeVectors = async (job) => ({
    ...await make({ ...job, images: job.images.slice(0, 4) }),
    left: job.images.slice(4),
  });
  await workOnJob(queue, await taken(queue), writer, WORKER, interrupted);
  assertEquals((await index.counts()).images, 4);
  const rest = await taken(queue);
  assertEquals([rest.retryCount, rest.images.length], [0, 6]);
});

eachServer("the end of a job and what it has written are one transaction", async ({ client }) => {
  const { index, queue, writer } = await open(client);
  await enqueue(queue, { source: "photos", folder: "/", images: listed(2) });
  const job = await taken(queue);
  const withoutVector: MakeVectors = async (job) => {
    const { read: [first, second], ...rest } = await make(job);
    return { ...rest, read: [first!, { ...second!, vector: undefined }] };
  };
  await assertRejects(() => workOnJob(queue, job, writer, WORKER, withoutVector), Error, "1.jpg");
  assertEquals(await index.counts(), { images: 0, vectors: 0 });
  assertEquals((await queueStatus(queue)).active.jobs, 1);
});

eachServer("the queue of another version is refused", async ({ client }) => {
  const { queue } = await open(client);
  await client.query(`update ${queue.schema}.version set version = 45`);
  await assertRejects(
    () => openQueue(client, "vit_msn", { create: false }),
    Error,
    "its tables are those of pg-boss' version 45",
  );
});

eachServer("the jobs of a forgotten source are taken from workers, too", async ({ client }) => {
  const { index, queue, writer } = await open(client);
  await enqueue(queue, { source: "photos", folder: "/", images: listed(64) });
  await enqueue(queue, { source: "others", folder: "/", images: listed(1, 100) });
  const job = await taken(queue);
  await removeJobs(client, queue.schema, "photos", { alsoTaken: true });
  assertEquals((await workOnJob(queue, job, writer, WORKER, make)).outcome, "lost");
  const { waiting, active } = await queueStatus(queue);
  assertEquals([waiting.jobs, active.jobs, (await index.counts()).images], [1, 0, 0]);
});
