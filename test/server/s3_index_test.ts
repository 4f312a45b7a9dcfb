// `deno task index` on a bucket, with the task's own permissions.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TempFolder } from "../cli/run.ts";
import { runTask } from "../cli/run_task.ts";
import { KEYS, S3Server } from "../dataset/s3/s3_server.ts";

const photo = (name: string) => Deno.readFileSync(`test/images/${name}.jpg`);

async function task(
  name: "index" | "search" | "dedupe",
  server: S3Server,
  args: readonly string[],
) {
  const env = { ...KEYS, AWS_ENDPOINT_URL: server.endpoint.href, NO_COLOR: "1" };
  const result = await runTask(name, args, env);
  return { ...result, last: result.stdout.trimEnd().split("\n").at(-1)! };
}

Deno.test("a bucket is indexed, again after changes, searched and shown", async () => {
  await using server = new S3Server();
  using folder = new TempFolder();
  const db = `${folder.path}/a.sqlite`;
  for (const name of ["dog", "deer", "bird"]) server.put(`pets/animal/${name}.jpg`, photo(name));
  server.put("pets/a ship?.jpg", photo("ship"));
  server.put("pets/gone.jpg", photo("truck"));
  const index = async (...args: string[]) => {
    server.seen.length = 0;
    const { code, stderr, last } = await task("index", server, [...args, "--db", db, "--json"]);
    const { db: _, ...summary } = JSON.parse(last || "{}");
    return { code, stderr, summary, requests: server.seen.length };
  };
  // It vanishes after it was listed.
  server.fault = ({ url }) => {
    if (url.pathname.endsWith("/gone.jpg")) server.objects.delete("pets/gone.jpg");
    return undefined;
  };
  const counts = { known: 0, forgotten: 0, failed: 0 };
  const first = await index("s3://photos/pets");
  assertEquals([first.code, first.requests], [1, 6]);
  assertStringIncludes(first.stderr, "s3://photos/pets/gone.jpg: no such object\n");
  assertEquals(first.summary, { images: 4, vectors: 4, ...counts, embedded: 4, failed: 1 });

  const again = await index("s3://photos/pets/");
  assertEquals([again.code, again.requests], [0, 1], again.stderr);
  assertEquals(again.summary, { images: 4, vectors: 4, ...counts, embedded: 0, known: 4 });

  server.put("pets/animal/dog.jpg", photo("horse"), new Date("2024-06-01T00:00:00Z"));
  server.objects.delete("pets/animal/bird.jpg");
  const changed = await index("s3://photos/pets");
  assertEquals([changed.code, changed.requests], [0, 2], changed.stderr);
  assertEquals(changed.summary, {
    images: 3,
    vectors: 3,
    ...counts,
    embedded: 1,
    known: 2,
    forgotten: 1,
  });

  const html = `${folder.path}/found.html`;
  const found = await task("search", server, [
    ...["test/images/ship.jpg", "--db", db, "--html", html, "--json"],
  ]);
  assertEquals(found.code, 0, found.stderr);
  const { neighbours } = JSON.parse(found.last);
  assertEquals(neighbours[0].path, "s3://photos/pets/a ship?.jpg");
  const page = await Deno.readTextFile(html);
  assertEquals(page.match(/<img/g)?.length, 4);
  assertMatch(page, /animal<br>s3:\/\/photos\/pets\/animal\/dog\.jpg/);

  const groups = await task("dedupe", server, ["--db", db, "--json"]);
  assertEquals([groups.code, JSON.parse(groups.stdout.split("\n")[0]!).photos], [0, 3]);

  assertEquals((await index("s3://photos/pets/", "--forget")).summary.forgotten, 3);
  const wrong = await index("s3:///pets");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "s3:///pets: it names no bucket");
});
