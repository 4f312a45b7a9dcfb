// `deno task worker` in processes of its own: killed, interrupted, slow, and without its server.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { worker } from "../../src/cli/worker.ts";
import { Heart } from "../../src/cli/indexing/heart.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import { enqueue } from "../../src/search/queue/enqueue.ts";
import { takeJob } from "../../src/search/queue/index_job.ts";
import { openQueue } from "../../src/search/queue/index_queue.ts";
import { type QueueStatus, queueStatus } from "../../src/search/queue/queue_status.ts";
import { run, TempFolder } from "../cli/run.ts";
import { uniform } from "../random.ts";
import { CommandProcess } from "./command_process.ts";
import { realServer } from "./servers.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import { writePhotos } from "./write_photos.ts";

/** All that an index says, but for who wrote it. */
async function contentOf(client: SqlClient, schema = "vit_msn") {
  return [
    ...await client.query(
      `select name, path, label, size::text, modified, encode(sha256, 'hex') as sha256, error
       from ${schema}.image join ${schema}.source on source.id = image.source order by name, path`,
    ),
    ...await client.query(
      `select encode(sha256, 'hex') as sha256, vector::text from ${schema}.embedding order by 1`,
    ),
  ];
}

async function statusOf(client: SqlClient): Promise<QueueStatus> {
  return await queueStatus((await openQueue(client, "vit_msn", { create: false }))!);
}

/** Seconds in which something must happen, also on a loaded machine. */
const PATIENCE = 120;

/** Waits until something holds; none of the processes may end by itself meanwhile. */
async function until<T>(
  holds: () => Promise<T | undefined | false>,
  processes: readonly CommandProcess[] = [],
): Promise<T> {
  for (const begun = Date.now(); Date.now() - begun < 1000 * PATIENCE; await delay(20)) {
    const held = await holds();
    if (held) return held;
    const ended = processes.find(({ hasEnded }) => hasEnded);
    if (ended) throw new Error(`a process has ended: ${JSON.stringify(await ended.ended)}`);
  }
  const said = await Promise.all(processes.map((process) => process.kill("SIGKILL")));
  throw new Error(`nothing happened in ${PATIENCE} s: ${JSON.stringify(said)}`);
}

/** Waits until something holds of the queue. */
async function untilStatus(
  client: SqlClient,
  processes: readonly CommandProcess[],
  holds: (status: QueueStatus) => boolean,
): Promise<QueueStatus> {
  return await until(async () => {
    const status = await statusOf(client);
    return holds(status) && status;
  }, processes);
}

/** Images that workers have counted. */
function counted({ workers }: QueueStatus): number {
  return workers.reduce((sum, { images, failed }) => sum + images + failed, 0);
}

async function enqueued(source: string, url: string): Promise<Record<string, unknown>> {
  const { summary, stderr } = await new CommandProcess("index", [source, "--db", url, "--enqueue"])
    .ended;
  assertEquals(stderr, "");
  return summary;
}

realServer(
  "an index by workers that were killed again and again is that of an undisturbed run",
  async ({ client, url }) => {
    using folder = new TempFolder();
    const sources: string[] = [];
    const addSource = async (count: number) => {
      const source = await writePhotos(folder, `photos${sources.length}`, count);
      const bad = folder.write(`photos${sources.length}/bad.jpg`, `no image ${sources.length}`);
      Deno.utimeSync(bad, 1e9, 1e9);
      sources.push(source);
      const { enqueued: images } = await enqueued(source, url);
      assertEquals(images, count + 1);
      return count + 1;
    };
    let total = await addSource(250);
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const random = uniform(seed);
    await using started = new AsyncDisposableStack();
    const start = () => started.use(new CommandProcess("worker", ["--db", url]));
    const workers = [start(), start()];
    let done = 0;
    for (let round = 0; round < 10; round++) {
      if (total - done < 150) total += await addSource(150);
      // Something was written since the last kill.
      done = counted(await untilStatus(client, workers, (status) => counted(status) > done));
      await delay(500 * random());
      const killed = random() < 0.3 ? [0, 1] : [round % 2];
      await Promise.all(killed.map((w) => workers[w]!.kill("SIGKILL")));
      for (const w of killed) workers[w] = start();
      console.log(`round ${round}: ${done} of ${total} images, killed ${killed}`);
    }
    const last = await untilStatus(
      client,
      workers,
      ({ waiting, active }) => waiting.jobs + active.jobs === 0,
    );
    await Promise.all(workers.map((worker) => worker.kill("SIGTERM")));
    assertEquals([counted(last), last.deadJobs.count], [total, 0]);
    const undisturbed = `${url}?schema=undisturbed`;
    for (const source of sources) await enqueued(source, undisturbed);
    const { code } = await new CommandProcess("worker", ["--db", undisturbed, "--exit-when-empty"])
      .ended;
    assertEquals(code, 1); // some images are bad
    const [expected, actual] = [
      await contentOf(client, "undisturbed"),
      await contentOf(client),
    ].map((rows) => rows.map((row) => JSON.stringify(row)));
    assertEquals(actual!.filter((row) => !expected!.includes(row)), []);
    assertEquals(expected!.filter((row) => !actual!.includes(row)), []);
  },
);

realServer(
  "the jobs of a killed worker are with another one within 20 s",
  async ({ client, url }) => {
    using folder = new TempFolder();
    await enqueued(await writePhotos(folder, "photos", 640), url);
    await using lost = new CommandProcess("worker", ["--db", url]);
    await untilStatus(client, [lost], ({ active }) => active.jobs > 0);
    await lost.kill("SIGKILL");
    const held = (await client.query("select id from vit_msn_queue.job where state = 'active'"))
      .map(({ id }) => id);
    assert(held.length > 0);
    await using other = new CommandProcess("worker", ["--db", url, "--exit-when-empty"]);
    // A loaded machine takes a while to start it.
    await untilStatus(client, [other], ({ workers }) => workers.length === 2);
    const begun = Date.now();
    await until(async () => {
      const [row] = await client.query(
        "select 1 from vit_msn_queue.job where id = any($1::uuid[]) and state = 'active' and retry_count = 0",
        [held],
      );
      return row === undefined;
    });
    const time = (Date.now() - begun) / 1000;
    console.log(`back after ${time.toFixed(1)} s`);
    assert(time < 20, `${time} s`);
    const { code, stderr } = await other.ended;
    assertEquals([code, stderr], [0, ""]);
    assertEquals((await (await PostgresIndex.open(client)).counts()).images, 640);
  },
);

realServer(
  "Ctrl-C writes what is done and gives back the rest at once",
  async ({ client, url }) => {
    using folder = new TempFolder();
    await enqueued(await writePhotos(folder, "photos", 400), url);
    await using process = new CommandProcess("worker", ["--db", url]);
    await untilStatus(client, [process], (status) => counted(status) > 0);
    const { code, stderr, summary } = await process.kill("SIGINT");
    assertEquals([code, stderr], [0, ""]);
    const status = await statusOf(client);
    assertEquals(status.active.jobs, 0);
    assertEquals(status.waiting.images, 400 - Number(summary.images));
    assertEquals([counted(status), status.workers.map(({ state }) => state)], [
      summary.images,
      ["ended"],
    ]);
    // Nothing of it waits for a heartbeat to be missed, or for a retry.
    const [row] = await client.query(
      "select count(*)::int as retried from vit_msn_queue.job where state = 'retry' or retry_count > 0",
    );
    assertEquals(row, { retried: 0 });
  },
);

realServer("a worker goes on when its server is back", async ({ client, url }) => {
  using folder = new TempFolder();
  await enqueued(await writePhotos(folder, "photos", 200), url);
  const address = new URL(url);
  using proxy = new TcpProxy({ hostname: address.hostname, port: Number(address.port) });
  address.port = String(proxy.port);
  address.hostname = "127.0.0.1";
  proxy.switchOff();
  await using process = new CommandProcess("worker", ["--db", address.href, "--exit-when-empty"]);
  await process.says("trying again in 1 s");
  proxy.switchOn();
  await untilStatus(client, [process], (status) => counted(status) > 0);
  proxy.switchOff();
  await process.says("the connection to the server broke"); // a transaction was tried again in vain
  proxy.switchOn();
  const { code, stderr, summary } = await process.ended;
  assertEquals([code, summary.failed], [0, 0]);
  assertStringIncludes(stderr, "worker: Cannot connect to postgres://");
  assertStringIncludes(stderr, "trying again in 1 s");
  assertEquals(counted(await statusOf(client)), 200);
});

realServer("a worker whose thread is busy for long keeps its job", async ({ client, url }) => {
  await PostgresIndex.create(client, {
    sha256: "00",
    name: "mine",
    pool: "cls",
    decode: "standard",
    dimension: 4,
  });
  const queue = (await openQueue(client, "vit_msn", { create: true }))!;
  await enqueue(queue, { source: "a", folder: "/", images: [{ path: "1.jpg", size: 1 }] });
  const job = (await takeJob(queue))!;
  using heart = new Heart(url, "busy");
  heart.hold(job);
  const beats = async () => {
    const [row] = await client.query("select heartbeat_on::text from vit_msn_queue.job");
    return row!.heartbeat_on;
  };
  const first = await beats();
  await until(async () => await beats() !== first); // the thread has started
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 14_000);
  const { active, waiting } = await queueStatus(queue);
  assertEquals([active.jobs, waiting.jobs], [1, 0]);
  heart.release(job);
  // Its own heart finds that nobody keeps the job.
  await untilStatus(client, [], ({ waiting }) => waiting.jobs === 1);
});

realServer(
  "a worker refuses the index of another model, and one without a queue",
  async ({ client, url }) => {
    const without = await run(worker, ["--db", url]);
    assertEquals(without.code, 1);
    assertStringIncludes(without.stderr, "make it with `deno task index SOURCE --db ");
    await PostgresIndex.create(client, {
      sha256: "00",
      name: "mine",
      pool: "cls",
      decode: "standard",
      dimension: 4,
    });
    const unused = await run(worker, ["--db", url]);
    assertEquals(unused.code, 1);
    assertStringIncludes(
      unused.stderr,
      "has no queue; enqueue a source with `deno task index SOURCE",
    );
    await openQueue(client, "vit_msn", { create: true });
    const other = await run(worker, ["--db", url]);
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, "embed anew with `deno task index");
    assertEquals((await run(worker, ["--db", "a.sqlite"])).code, 2);
  },
);

realServer(
  "an index whose making was killed again and again is that of an undisturbed run",
  async ({ client, url }) => {
    using folder = new TempFolder();
    const photos = await writePhotos(folder, "photos", 500);
    const { code, summary } = await new CommandProcess("index", [photos, "--db", url]).ended;
    assertEquals([code, summary.embedded, summary.known], [0, 450, 50]);
    const killed = `${url}?schema=killed`;
    const imagesIn = async () => {
      const [row] = await client.query("select to_regclass('killed.image') is not null as found");
      if (!row!.found) return 0;
      return Number((await client.query("select count(*) as count from killed.image"))[0]!.count);
    };
    let parts = 0;
    for (let images = 0, round = 0; images < 500; round++) {
      assert(round < 20, "the index does not grow");
      await using process = new CommandProcess("index", [photos, "--db", killed]);
      while (!process.hasEnded && await imagesIn() === images) await delay(10);
      await delay(300 * Math.random());
      await process.kill("SIGKILL");
      images = await imagesIn();
      console.log(`round ${round}: ${images} images`);
      if (images > 0 && images < 500) parts++;
    }
    assert(parts > 0, "it was never killed in the middle");
    assertEquals((await new CommandProcess("index", [photos, "--db", killed]).ended).code, 0);
    assertEquals(await contentOf(client, "killed"), await contentOf(client));
  },
);
