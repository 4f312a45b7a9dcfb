import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { createIndexHandler } from "../../../functions/index/index_handler.ts";
import { readIndexSettings } from "../../../functions/index/index_settings.ts";
import type { StorageChange } from "../../../functions/index/storage_event.ts";

const KEY = "service-role-key";
const SECRET = "a-secret-of-its-own";
const OBJECT = {
  id: "6fd4e7a0",
  bucket_id: "photos",
  name: "pets/a dog.jpg",
  owner: null,
  updated_at: "2026-05-01T10:00:00.123456+00:00",
  metadata: { size: 1234, mimetype: "image/jpeg", eTag: '"0"' },
};
const IMAGE = {
  path: "s3://photos/pets/a dog.jpg",
  size: 1234,
  modified: Date.parse("2026-05-01T10:00:00.123Z"),
  label: "pets",
};

/** A handler whose service only says what it is asked. */
function handlerOf(fail?: Error) {
  const calls: (StorageChange | number | undefined)[] = [];
  const logged: string[] = [];
  const handler = createIndexHandler({
    service: {
      change(change) {
        calls.push(change);
        if (fail) return Promise.reject(fail);
        return Promise.resolve({ images: 1, known: 0, forgotten: 0, failed: [], queued: 0 });
      },
      batch(most) {
        calls.push(most);
        if (fail) return Promise.reject(fail);
        return Promise.resolve({ jobs: [], waiting: 3 });
      },
    },
    keys: [KEY, SECRET],
    log: (message) => logged.push(message),
  });
  const call = async (body?: unknown, { key = KEY, method = "POST" } = {}) => {
    const response = await handler(
      new Request("http://localhost/index", {
        method,
        headers: key === "" ? {} : { authorization: `Bearer ${key}` },
        ...(body === undefined
          ? {}
          : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
    return { status: response.status, headers: response.headers, json: await response.json() };
  };
  return { call, calls, logged };
}

const event = (type: string, record: object | null, old_record: object | null = null) => ({
  type,
  table: "objects",
  schema: "storage",
  record,
  old_record,
});

Deno.test("only a key or the secret opens the function", async () => {
  const { call, calls } = handlerOf();
  for (const key of ["", "wrong", `${KEY}x`, KEY.slice(1)]) {
    const { status, headers, json } = await call(undefined, { key });
    assertEquals([status, headers.get("www-authenticate")], [401, "Bearer"]);
    assertMatch(json.error, /brings no valid key/);
  }
  assertEquals(calls, []);
  for (const key of [KEY, SECRET]) assertEquals((await call(undefined, { key })).status, 200);
});

Deno.test("a trigger's body is what was written and what is gone", async () => {
  const { call, calls } = handlerOf();
  const moved = { ...OBJECT, name: "pets/b.jpg" };
  const source = "s3://photos";
  for (
    const [body, change] of [
      [event("INSERT", OBJECT), { written: IMAGE, source }],
      [event("UPDATE", OBJECT, OBJECT), { written: IMAGE, source }],
      [event("UPDATE", OBJECT, moved), { written: IMAGE, source, gone: "s3://photos/pets/b.jpg" }],
      [event("UPDATE", { ...OBJECT, name: "a.txt" }, OBJECT), { gone: IMAGE.path }],
      [event("DELETE", null, OBJECT), { gone: IMAGE.path }],
      [event("INSERT", { ...OBJECT, name: "pets/.emptyFolderPlaceholder" }), {}],
      [event("INSERT", { ...OBJECT, name: ".x/a.jpg" }), {}],
      // Its size tells nothing yet.
      [event("INSERT", { ...OBJECT, name: "c.jpg", metadata: null }), {
        written: { path: "s3://photos/c.jpg", size: 0 },
        source,
      }],
    ] as const
  ) {
    const { status, json } = await call(body);
    assertEquals([status, json.images], [200, 1]);
    assertEquals(calls.pop(), change);
  }
});

Deno.test("without a trigger's body, the function works on the queue", async () => {
  const { call, calls } = handlerOf();
  for (const body of [undefined, "", {}, { batch: 7 }]) {
    assertEquals((await call(body)).json, { jobs: [], waiting: 3 });
  }
  assertEquals(calls, [undefined, undefined, undefined, 7]);
});

Deno.test("a bad body gets an answer that says what is bad", async () => {
  const { call, calls } = handlerOf();
  for (
    const [body, status, words] of [
      ["{", 400, "The request's body is not JSON"],
      ["\xff\xfe", 400, "not JSON"],
      ["[]", 400, "no JSON object"],
      [{ batch: 0 }, 400, "batch is 0, not an integer from 1 to 10000"],
      [{ batch: 1.5 }, 400, "batch is 1.5, not an integer"],
      [{ batch: "7" }, 400, 'batch is "7", not number'],
      [{ other: 1 }, 400, "other is no parameter here"],
      [event("TRUNCATE", null), 400, "type is"],
      [{ ...event("INSERT", OBJECT), schema: "public" }, 400, 'schema is "public", not "storage"'],
      [{ ...event("INSERT", OBJECT), table: "buckets" }, 400, "table is"],
      [event("INSERT", null), 400, "record is null"],
      [event("DELETE", OBJECT), 400, "old_record is null"],
      [event("INSERT", { ...OBJECT, name: 7 }), 400, "record.name is 7, not string"],
      [event("INSERT", { ...OBJECT, bucket_id: "" }), 400, "record.bucket_id is"],
      [event("INSERT", { ...OBJECT, name: "a\0.jpg" }), 400, "record.name is"],
      [event("INSERT", { ...OBJECT, name: "a\ud800.jpg" }), 400, "record.name is"],
      [event("INSERT", { ...OBJECT, metadata: { size: 1.5 } }), 400, "record.metadata.size is 1.5"],
      [JSON.stringify({ batch: 1, x: "x".repeat(1_000_000) }), 413, "more than 1000000 bytes"],
    ] as const
  ) {
    const answer = await call(body);
    assertEquals(answer.status, status, words);
    assert(answer.json.error.includes(words), answer.json.error);
    assertEquals(answer.headers.get("content-type"), "application/problem+json");
  }
  const get = await call(undefined, { method: "PUT" });
  assertEquals([get.status, get.headers.get("allow")], [405, "POST"]);
  assertEquals(calls, []);
});

Deno.test("what the index lacks is answered, and what is wrong inside is only logged", async () => {
  const own = handlerOf(new Error("Cannot connect to postgres://me@db: no server answers"));
  const { status, json } = await own.call();
  assertEquals([status, json.detail], [
    503,
    "Cannot connect to postgres://me@db: no server answers",
  ]);
  const inside = handlerOf(new TypeError("x is undefined"));
  const answer = await inside.call(event("INSERT", OBJECT));
  assertEquals([answer.status, answer.json.detail], [
    500,
    "Something went wrong here; the function's log says what",
  ]);
  assertEquals(inside.logged, ["x is undefined"]);
});

Deno.test("settings are Supabase's own, and name what is missing", () => {
  const all = {
    SUPABASE_URL: "https://project.supabase.co",
    SUPABASE_SERVICE_ROLE_KEY: KEY,
    SUPABASE_DB_URL: "postgres://me:pass@db/postgres",
  };
  const read = (variables: Record<string, string>) =>
    readIndexSettings({ get: (name) => variables[name] });
  assertEquals(read(all).keys, [KEY]);
  assertEquals(read(all).schema, "vit_msn");
  assertEquals(read({ ...all, INDEX_SECRET: SECRET, INDEX_SCHEMA: "mine" }).keys, [KEY, SECRET]);
  for (const name of Object.keys(all)) {
    assertThrows(() => read({ ...all, [name]: "" }), Error, `Cannot start: ${name} is not set`);
  }
  assertThrows(() => read({ ...all, SUPABASE_URL: "project" }), Error, "Cannot use SUPABASE_URL");
  for (const secret of ["short", "with spaces in it, and long"]) {
    assertThrows(() => read({ ...all, INDEX_SECRET: secret }), Error, "it is not 16 or more");
  }
});
