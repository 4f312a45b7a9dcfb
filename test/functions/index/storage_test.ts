import { assertEquals, assertRejects } from "@std/assert";
import { Storage, StorageError } from "../../../functions/index/storage.ts";

const BYTES = Uint8Array.of(1, 2, 3);

/** A Storage whose answers are given; and what it asked for. */
function storageOf(...answers: (() => Response)[]) {
  const asked: { url: string; headers: Headers }[] = [];
  const storage = new Storage({
    projectUrl: new URL("https://project.supabase.co/"),
    serviceKey: "key",
    retryDelay: 1,
    fetch: (url, init) => {
      asked.push({ url: String(url), headers: new Headers(init?.headers) });
      return Promise.resolve().then(answers.length > 1 ? answers.shift()! : answers[0]!);
    },
  });
  return { storage, asked };
}

const ok = () => new Response(BYTES);
const fails = (status: number, body: unknown) => () =>
  new Response(JSON.stringify(body), { status });

Deno.test("an object is read with the key of the function, whatever its name", async () => {
  const { storage, asked } = storageOf(ok);
  assertEquals(await storage.read("s3://photos/a b/100%+é?#.jpg", 3), BYTES);
  assertEquals(
    asked[0]!.url,
    "https://project.supabase.co/storage/v1/object/photos/a%20b/100%25%2B%C3%A9%3F%23.jpg",
  );
  assertEquals(asked[0]!.headers.get("authorization"), "Bearer key");
  for (const path of ["s3://photos/../x.jpg", "s3://photos/a/./x.jpg", "s3://photos"]) {
    await assertRejects(() => storage.read(path, 3), Error, "it cannot be asked for");
  }
  await assertRejects(() => storage.read("photos/x.jpg", 3), Error, "only objects of Storage");
  await assertRejects(() => storage.read("s3:///x.jpg", 3), Error, "it names no bucket");
  assertEquals(asked.length, 1);
});

Deno.test("what is missing or too long is the object's error; all else is Storage's", async () => {
  const missing = fails(400, {
    statusCode: "404",
    error: "not_found",
    message: "Object not found",
  });
  for (const answer of [missing, fails(404, {})]) {
    const { storage, asked } = storageOf(answer);
    const error = await assertRejects(
      () => storage.read("s3://b/x.jpg", 9),
      Error,
      "no such object",
    );
    assertEquals([error instanceof StorageError, asked.length], [false, 1]);
  }
  await assertRejects(() => storageOf(ok).storage.read("s3://b/x.jpg", 2), RangeError, "2 bytes");
  const { storage, asked } = storageOf(fails(500, { message: "busy" }));
  await assertRejects(() => storage.read("s3://b/x.jpg", 9), StorageError, "500: busy");
  assertEquals(asked.length, 3);
  const network = storageOf(() => {
    throw new TypeError("no network");
  });
  await assertRejects(() => network.storage.read("s3://b/x.jpg", 9), StorageError, "not answer");
  const recovers = storageOf(fails(503, {}), fails(429, null), ok);
  assertEquals(await recovers.storage.read("s3://b/x.jpg", 9), BYTES);
});
