// The bundle of the function for Supabase in a process of its own, with the permissions of a host, against PostgreSQL and a
// stand-in for Storage.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import { enqueue } from "../../src/search/queue/enqueue.ts";
import { openQueue } from "../../src/search/queue/index_queue.ts";
import { runProcess } from "../cli/run_process.ts";
import { bundled } from "../server/bundle.ts";
import { ServerProcess } from "../server/server_process.ts";
import { realServer } from "./servers.ts";

const KEY = "service-role-key-of-a-test";
const NAMES = ["airplane", "bird", "deer", "dog", "frog", "horse", "ship", "truck"];

/** Storage's REST API, of one bucket with the test's photos. */
function serveStorage(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url, headers }) => {
    const [, name] = /^\/storage\/v1\/object\/photos\/pets%20\/(\w+)\.jpg$/.exec(
      new URL(url).pathname,
    ) ?? [];
    if (headers.get("authorization") !== `Bearer ${KEY}`) {
      return new Response(null, { status: 403 });
    }
    return name !== undefined && NAMES.includes(name)
      ? new Response(Deno.readFileSync(`test/images/${name}.jpg`))
      : Response.json({ statusCode: "404", message: "Object not found" }, { status: 400 });
  });
}

realServer(
  "the function's bundle indexes Storage and works on the queue",
  async ({ client, url }) => {
    await using storage = serveStorage();
    using folder = await bundled(["--target", "supabase", "--with-index"]);
    const env = {
      SUPABASE_URL: `http://127.0.0.1:${storage.addr.port}`,
      SUPABASE_SERVICE_ROLE_KEY: KEY,
      SUPABASE_DB_URL: url,
    };
    const cwd = `${folder.path}/dist/functions/index`;
    const args = ["run", "--allow-net", "--allow-read=.", "--allow-env", "index.js"];
    const lacking = await runProcess("deno", args, { cwd });
    assertEquals(lacking.code, 1);
    assertStringIncludes(lacking.stderr, "Cannot start: SUPABASE_URL is not set");
    await using server = await ServerProcess.start({ args, cwd, env });
    const call = async (body: unknown, key = KEY) => {
      const { status, text } = await server.post(
        "/index",
        body === "" ? "" : JSON.stringify(body),
        {
          authorization: `Bearer ${key}`,
        },
      );
      return { status, ...JSON.parse(text) };
    };
    const event = (type: string, name: string) => {
      const object = { bucket_id: "photos", name: `pets /${name}.jpg`, metadata: { size: 9 } };
      const [record, old_record] = type === "DELETE" ? [null, object] : [object, null];
      return { type, schema: "storage", table: "objects", record, old_record };
    };
    assertEquals((await call("", "another-key")).status, 401);
    const none = { status: 200, images: 0, known: 0, forgotten: 0, failed: [], queued: 0 };
    assertEquals(await call(event("INSERT", "dog")), { ...none, images: 1 });
    assertEquals(await call(event("INSERT", "cat")), {
      ...none,
      failed: [{ path: "s3://photos/pets /cat.jpg", error: "no such object" }],
    });
    const queue = (await openQueue(client, "vit_msn", { create: true }))!;
    const images = NAMES.map((name) => ({
      path: `s3://photos/pets /${name}.jpg`,
      size: 9,
      modified: 1,
    }));
    await enqueue(queue, { source: "s3://photos", folder: "/", images });
    let found = 0;
    for (let calls = 0; calls < 20; calls++) {
      const { status, jobs, waiting } = await call("");
      assertEquals(status, 200);
      found += jobs.reduce((sum: number, { images }: { images: number }) => sum + images, 0);
      if (waiting === 0) break;
    }
    assertEquals(found, NAMES.length);
    assertEquals(await call(event("DELETE", "ship")), { ...none, forgotten: 1 });
    await using index = await PostgresIndex.open(client);
    assertEquals((await index.counts()).images, NAMES.length - 1);
    assert(server.memory("most") < 256, `${server.memory("most")} MB`);
  },
);
