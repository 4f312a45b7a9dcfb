// The function for Supabase on an index in Postgres, with the embedded model and a Storage in memory.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { IndexService, type IndexServiceOptions } from "../../functions/index/index_service.ts";
import { StorageError } from "../../functions/index/storage.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import { enqueue } from "../../src/search/queue/enqueue.ts";
import { openQueue } from "../../src/search/queue/index_queue.ts";
import { queueStatus } from "../../src/search/queue/queue_status.ts";
import { eachServer, realServer } from "./servers.ts";

const NAMES = ["airplane", "bird", "deer", "dog", "frog", "horse", "ship", "truck"];
const PHOTOS = new Map(NAMES.map((name) => [name, Deno.readFileSync(`test/images/${name}.jpg`)]));
const SOURCE = "s3://photos";
const path = (name: string) => `${SOURCE}/${name}`;
const model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));

/** A service whose Storage has some objects by their paths. */
function serviceOf(client: SqlClient, more: Partial<IndexServiceOptions> = {}) {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const state = { isDown: false, reads: 0 };
  const service = new IndexService({
    connect: () => Promise.resolve(client),
    schema: "vit_msn",
    model: () => Promise.resolve({ model, sha256: "ab".repeat(32) }),
    name: "vit-msn",
    decode: "standard",
    decoder: new ImageDecoder({ workers: 0 }),
    storage: {
      read(path) {
        state.reads++;
        if (state.isDown) return Promise.reject(new StorageError("Storage answers 500"));
        const bytes = objects.get(path);
        return bytes ? Promise.resolve(bytes) : Promise.reject(new Error("no such object"));
      },
    },
    ...more,
  });
  return { service, objects, state };
}

function image(name: string, modified = 1) {
  return { path: path(name), size: 9, modified, label: "pets" };
}

async function pathsOf(client: SqlClient) {
  const index = await PostgresIndex.open(client);
  return (await Array.fromAsync(index.images())).map(({ path }) => path);
}

const NONE = { images: 0, known: 0, forgotten: 0, failed: [], queued: 0 };

eachServer("changes of Storage are changes of the index", async ({ client }) => {
  const { service, objects, state } = serviceOf(client);
  const change = async (written: string | undefined, gone?: string, modified?: number) =>
    await service.change({
      ...(written === undefined ? {} : { source: SOURCE, written: image(written, modified) }),
      ...(gone === undefined ? {} : { gone: path(gone) }),
    });
  objects.set(path("a.jpg"), PHOTOS.get("dog")!);
  objects.set(path("b.jpg"), PHOTOS.get("ship")!);
  objects.set(path("bad.jpg"), new Uint8Array(9));
  assertEquals(await change("a.jpg"), { ...NONE, images: 1 });
  assertEquals(await change("b.jpg"), { ...NONE, images: 1 });
  assertEquals(await change("a.jpg"), { ...NONE, known: 1 });
  assertEquals(state.reads, 2);
  const bad = await change("bad.jpg");
  assertEquals([bad.images, bad.failed[0]!.path], [0, path("bad.jpg")]);
  assertEquals((await change("gone.jpg")).failed, [{
    path: path("gone.jpg"),
    error: "no such object",
  }]);
  assertEquals(await pathsOf(client), [path("a.jpg"), path("b.jpg")]);
  // What search finds is what the model says of the photo.
  const index = await PostgresIndex.open(client);
  const photo = await model.embed([PHOTOS.get("dog")!]);
  const [[nearest]] = await index.search([photo.data], { k: 1 }) as [[{
    path: string;
    label?: string;
    similarity: number;
  }]];
  assertEquals([nearest.path, nearest.label], [path("a.jpg"), "pets"]);
  assert(nearest.similarity > 0.999);
  // Moved, written anew, and deleted.
  objects.set(path("c.jpg"), PHOTOS.get("dog")!);
  assertEquals(await change("c.jpg", "a.jpg"), { ...NONE, images: 1, forgotten: 1 });
  objects.set(path("b.jpg"), PHOTOS.get("frog")!);
  assertEquals(await change("b.jpg", undefined, 2), { ...NONE, images: 1 });
  assertEquals(await change(undefined, "c.jpg"), { ...NONE, forgotten: 1 });
  assertEquals(await change(undefined, "c.jpg"), NONE);
  assertEquals(await pathsOf(client), [path("b.jpg")]);
});

eachServer("a change reaches every source that has the object", async ({ client }) => {
  const { service, objects } = serviceOf(client);
  objects.set(path("pets/a.jpg"), PHOTOS.get("dog")!);
  const written = image("pets/a.jpg");
  await service.change({ source: SOURCE, written });
  const index = await PostgresIndex.open(client);
  const writer = await index.write();
  const [{ sha256 } = { sha256: "" }] = await Array.fromAsync(index.images());
  await writer.put("s3://photos/pets", [{ ...written, sha256 }]);
  objects.set(path("pets/a.jpg"), PHOTOS.get("ship")!);
  await service.change({ source: SOURCE, written: image("pets/a.jpg", 2) });
  await writer.finish();
  assertEquals(await index.counts(), { images: 1, vectors: 1 });
  assertEquals((await service.change({ gone: path("pets/a.jpg") })).forgotten, 1);
  assertEquals(await pathsOf(client), []);
});

eachServer(
  "the queue is worked on until the time is used up; the rest is given back",
  async ({ client }) => {
    // Each image may use up the time.
    const { service, objects } = serviceOf(client, { budget: { busy: 1, all: 60_000 } });
    const listed = Array.from({ length: 40 }, (_, i) => {
      const name = `${i}.jpg`;
      const photo = PHOTOS.get(NAMES[i % 8]!)!;
      objects.set(path(name), concat([photo, Uint8Array.of(i)]));
      return image(name);
    });
    assertEquals(await service.batch(), { jobs: [], waiting: 0 });
    const queue = (await openQueue(client, "vit_msn", { create: true }))!;
    await enqueue(queue, { source: SOURCE, folder: "/", images: listed });
    const first = await service.batch();
    assertEquals(first.jobs.map(({ images, left, failed }) => [images, left, failed]), [[
      1,
      31,
      [],
    ]]);
    assertEquals(first.waiting, 2);

    const quick = serviceOf(client, { budget: { busy: 60_000, all: 60_000 } });
    for (const [path, bytes] of objects) quick.objects.set(path, bytes);
    const some = await quick.service.batch(3);
    assertEquals(some.jobs.reduce((sum, { images }) => sum + images, 0), 3);
    quick.objects.set(path("39.jpg"), new Uint8Array(9));
    const outcomes = [];
    for (let calls = 0; calls < 30; calls++) {
      const { jobs, waiting } = await quick.service.batch();
      outcomes.push(...jobs);
      if (waiting === 0) break;
    }
    assertEquals(outcomes.reduce((sum, { images }) => sum + images, 0), 35);
    const failed = outcomes.flatMap(({ failed }) => failed);
    assertEquals(failed.map(({ path }) => path), [path("39.jpg")]);
    const { waiting, active, workers, failedImages } = await queueStatus(queue);
    assertEquals([waiting.jobs, active.jobs, failedImages.count], [0, 0, 1]);
    assertEquals(workers.map(({ id, state, images, failed }) => [id, state, images, failed]), [
      ["functions/index", "ended", 39, 1],
    ]);
    assertEquals((await pathsOf(client)).length, 39);
  },
);

eachServer("while Storage is down, images wait in the queue", async ({ client }) => {
  const { service, objects, state } = serviceOf(client);
  objects.set(path("a.jpg"), PHOTOS.get("dog")!);
  state.isDown = true;
  assertEquals(await service.change({ source: SOURCE, written: image("a.jpg") }), {
    ...NONE,
    queued: 1,
  });
  const { jobs, waiting } = await service.batch();
  assertEquals([jobs[0]!.error, jobs[0]!.left, waiting], ["Storage answers 500", 1, 1]);
  state.isDown = false;
  await client.query("update vit_msn_queue.job set start_after = now()");
  assertEquals((await service.batch()).jobs.map(({ images }) => images), [1]);
  assertEquals(await pathsOf(client), [path("a.jpg")]);
});

realServer("connections that were closed meanwhile are made again", async ({ client, url }) => {
  await using connection = await connectPostgres(url, { connections: 2 });
  const { service, objects } = serviceOf(connection);
  objects.set(path("a.jpg"), PHOTOS.get("dog")!);
  const written = image("a.jpg");
  const calls: (() => Promise<object>)[] = [
    () => service.change({ source: SOURCE, written }),
    () => service.batch(),
    () => service.change({ gone: path("a.jpg") }),
  ];
  const answers: object[] = [];
  for (const call of calls) {
    answers.push(await call());
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
    );
  }
  assertEquals(answers, [
    { ...NONE, images: 1 },
    { jobs: [], waiting: 0 },
    { ...NONE, forgotten: 1 },
  ]);
});

eachServer(
  "another model's index is refused; the index says how images are pooled",
  async ({ client }) => {
    const mean = {
      sha256: "ab".repeat(32),
      name: "m",
      pool: "mean",
      decode: "fast",
      dimension: 192,
    };
    await PostgresIndex.create(client, mean);
    const { service, objects } = serviceOf(client);
    objects.set(path("a.jpg"), PHOTOS.get("dog")!);
    await service.change({ source: SOURCE, written: image("a.jpg") });
    const index = await PostgresIndex.open(client);
    const photo = await model.embed([PHOTOS.get("dog")!], { pool: "mean" });
    assert((await index.search([photo.data], { k: 1 }))[0]![0]!.similarity > 0.99);
    const other = serviceOf(client, {
      model: () => Promise.resolve({ model, sha256: "cd".repeat(32) }),
    });
    await assertRejects(() => other.service.batch(), Error, "Cannot use the index vit_msn");
  },
);
