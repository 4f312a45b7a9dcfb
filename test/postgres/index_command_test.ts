import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { index } from "../../src/cli/index.ts";
import { enqueueSources } from "../../src/cli/indexing/enqueue_sources.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import { openQueue } from "../../src/search/queue/index_queue.ts";
import { EMPTY_SYSTEM, run, TempFolder } from "../cli/run.ts";
import { runTask } from "../cli/run_task.ts";
import { CommandProcess } from "./command_process.ts";
import { realServer } from "./servers.ts";
import { writePhotos } from "./write_photos.ts";

/** The address with a password, which a server that trusts everyone does not ask for. */
function secret(url: string, parameters = ""): string {
  const address = new URL(url);
  address.password = "tell-no-one";
  return address.href + parameters;
}

realServer(
  "two that index the same folder at once lose nothing and write nothing twice",
  async ({ url, client }) => {
    using folder = new TempFolder();
    const photos = await writePhotos(folder, "photos", 60);
    const both = [0, 1].map(() => new CommandProcess("index", [photos, "--db", secret(url)]));
    for (const { ended } of both) {
      const { code, stderr, summary } = await ended;
      assertEquals([code, summary.failed, summary.forgotten], [0, 0, 0], stderr);
      assert(!JSON.stringify(summary).includes("tell-no-one"));
    }
    const written = await PostgresIndex.open(client);
    assertEquals(await written.counts(), { images: 60, vectors: 54 });
    assertEquals((await written.sources()).length, 1);
    const again = await new CommandProcess("index", [photos, "--db", secret(url)]).ended;
    assertEquals([again.summary.known, again.summary.embedded], [60, 0], again.stderr);
  },
);

realServer(
  "an index in Postgres is searched, cleaned of duplicates and exported, as an embedded one",
  async ({ url }) => {
    using folder = new TempFolder();
    const file = `${folder.path}/a.sqlite`;
    const [postgres, embedded] = [secret(url, "?schema=pets"), file];
    const answers: unknown[] = [];
    for (const db of [postgres, embedded]) {
      const indexed = await runTask("index", ["test/images", "--db", db, "--json"]);
      assertEquals(indexed.code, 0, indexed.stderr);
      const { db: _, ...counts } = JSON.parse(indexed.stdout);
      const html = `${folder.path}/found.html`;
      const found = await runTask("search", [
        ...["test/images/dog.jpg", "--db", db, "--where", "path=*r*"],
        ...["--top-k", "3", "--html", html, "--json"],
      ]);
      assertEquals(found.code, 0, found.stderr);
      const { neighbours } = JSON.parse(found.stdout);
      const page = Deno.readTextFileSync(html);
      assert(!page.includes("tell-no-one"));
      const duplicates = await runTask("dedupe", ["--db", db, "--json"]);
      assertEquals(duplicates.code, 0, duplicates.stderr);
      const exported = `${folder.path}/vectors-${answers.length}`;
      const written = await runTask("index", ["--db", db, "--export", exported]);
      assertEquals(written.code, 0, written.stderr);
      answers.push({
        counts,
        neighbours: neighbours.map(({ path, similarity }: { path: string; similarity: number }) => [
          path,
          similarity.toFixed(4),
        ]),
        duplicates: duplicates.stdout,
        vectors: Deno.readFileSync(`${exported}/embeddings-00000.npy`),
        images: Deno.readTextFileSync(`${exported}/images-00000.jsonl`),
      });
    }
    assertEquals(answers[0], answers[1]);
    const other = await runTask("index", ["test/images", "--db", postgres, "--pool", "mean"]);
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, "--pool cls, not mean");
    assert(!other.stderr.includes("tell-no-one"));
  },
);

realServer("the SQL that is printed makes what the command then uses", async ({ url, client }) => {
  const address = secret(url, "?schema=printed");
  const { code, stdout, stderr } = await runTask("index", ["--print-schema", "--db", address]);
  assertEquals(code, 0, stderr);
  await client.query(stdout.replaceAll(/^-- .*$/gm, ""));
  assertStringIncludes(stdout, "halfvec(192)) halfvec_cosine_ops");
  const indexed = await runTask("index", ["test/images", "--db", address]);
  assertEquals(indexed.code, 0, indexed.stderr);
});

realServer("the status shows what could not be read, until it can", async ({ url, client }) => {
  using folder = new TempFolder();
  const photos = await writePhotos(folder, "photos", 3);
  const bad = folder.write("photos/bad.png", "no image");
  const failed = async () => {
    const { code, stdout, stderr } = await run(index, ["--status", "--db", url, "--json"]);
    assertEquals([code, stderr], [0, ""]);
    return JSON.parse(stdout).failed_images;
  };
  const update = async () => {
    const { code, stdout } = await run(index, [photos, "--db", url, "--json"]);
    return { code, ...JSON.parse(stdout.trimEnd().split("\n").at(-1)!) };
  };
  const { code, images, failed: count } = await update();
  assertEquals([code, images, count], [1, 3, 1]);
  const error =
    "Cannot decode the image: it is no image format known here; JPEG, PNG, GIF and WebP are decoded";
  const expected = { count: 1, first: [{ source: Deno.realPathSync(photos), path: bad, error }] };
  assertEquals(await failed(), expected);
  await openQueue(client, "vit_msn", { create: true });
  assertEquals(await failed(), expected); // also with a queue
  Deno.copyFileSync("test/images/dog.jpg", bad);
  assertEquals((await update()).images, 4);
  assertEquals(await failed(), { count: 0, first: [] });
});

realServer("--enqueue that is interrupted changes nothing", async ({ url, client }) => {
  using folder = new TempFolder();
  const photos = await writePhotos(folder, "photos", 3);
  assertEquals((await run(index, [photos, "--db", url])).code, 0);
  Deno.removeSync(
    [...Deno.readDirSync(`${photos}/dog`)].map(({ name }) => `${photos}/dog/${name}`)[0]!,
  );
  const opened = await PostgresIndex.open(client);
  let stderr = "";
  const output = { isTerminal: false, color: false, columns: 80 };
  const code = await enqueueSources([photos], url, opened.model, {
    json: false,
    signal: AbortSignal.abort(),
    terminal: {
      stdin: new ReadableStream(),
      stdout: { ...output, write: () => {} },
      stderr: { ...output, write: (text) => void (stderr += text) },
      system: EMPTY_SYSTEM,
    },
  });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "interrupted: ");
  assertEquals((await opened.counts()).images, 3);
});
