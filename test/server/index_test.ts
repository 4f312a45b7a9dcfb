// `deno task index` in processes of its own: killed, interrupted, and two at a time.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { delay } from "@std/async/delay";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import { TempFolder } from "../cli/run.ts";
import { uniform } from "../random.ts";

const NAMES = ["airplane", "bird", "deer", "dog", "frog", "horse", "ship", "truck"];

/** Writes photos into a folder; none has the bytes of another one, but for every tenth. */
function writePhotos(folder: TempFolder, name: string, count: number): string {
  const encoder = new TextEncoder();
  const photos = NAMES.map((name) => Deno.readFileSync(`test/images/${name}.jpg`));
  for (let i = 0; i < count; i++) {
    // What follows the end of a JPEG is not decoded.
    const number = encoder.encode(String(i % 10 === 9 ? i - 1 : i));
    folder.write(
      `${name}/${NAMES[i % 3]}/${i}.jpg`,
      concat([photos[(i - +(i % 10 === 9)) % 8]!, number]),
    );
  }
  return `${folder.path}/${name}`;
}

function start(source: string, db: string): Deno.ChildProcess {
  return new Deno.Command("deno", {
    args: [
      ..."run --lock --frozen --allow-read --allow-write --allow-env=INIT_CWD src/cli/index.ts"
        .split(" "),
      source,
      "--db",
      db,
      "--json",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function end(process: Deno.ChildProcess) {
  const [stdout, stderr, { code }] = await Promise.all([
    process.stdout.text(),
    process.stderr.text(),
    process.status,
  ]);
  return { code, stderr, summary: JSON.parse(stdout.trimEnd().split("\n").at(-1) || "{}") };
}

/** All that an index says, and what it finds. The flat file must be whole. */
async function contentOf(db: string) {
  await using index = await EmbeddedIndex.open(db, {
    onDamage: (message) => {
      throw new Error(message);
    },
  });
  const images = await Array.fromAsync(index.images());
  const query = new Float32Array(index.model.dimension).map((_, i) => Math.sin(i));
  const [found] = await index.search([query], { k: Math.max(1, images.length) });
  found!.sort((a, b) => a.path < b.path ? -1 : 1);
  return { images, found, counts: await index.counts() };
}

/** How many images an index has; 0 while there is none. */
async function imagesIn(db: string): Promise<number> {
  try {
    await using index = await EmbeddedIndex.open(db);
    return (await index.counts()).images;
  } catch {
    return 0;
  }
}

Deno.test("an index whose making was killed again and again is that of an undisturbed run", async () => {
  using folder = new TempFolder();
  const photos = writePhotos(folder, "photos", 1000);
  const [undisturbed, killed] = [`${folder.path}/a.sqlite`, `${folder.path}/b.sqlite`];
  const { code, summary } = await end(start(photos, undisturbed));
  assertEquals([code, summary.embedded, summary.known], [0, 900, 100]);
  const expected = await contentOf(undisturbed);
  assertEquals(expected.counts, { images: 1000, vectors: 900 });
  const seed = Date.now() % 2 ** 31;
  const random = uniform(seed);
  console.log(`seed ${seed}`);
  let parts = 0;
  for (let images = 0, round = 0; images < 1000; round++) {
    assert(round < 20, "the index does not grow");
    const process = start(photos, killed);
    const ended = end(process);
    let hasEnded = false;
    ended.then(() => hasEnded = true);
    // A killed process leaves its lock, which the next one waits out.
    while (!hasEnded && await imagesIn(killed) === images) await delay(10);
    await delay(200 * random());
    try {
      process.kill("SIGKILL");
    } catch {
      // it has ended already
    }
    await ended;
    images = (await contentOf(killed)).images.length;
    console.log(`round ${round}: ${images} images`);
    if (images > 0 && images < 1000) parts++;
  }
  assert(parts > 0, "it was never killed in the middle");
  assertEquals((await end(start(photos, killed))).code, 0);
  assertEquals(await contentOf(killed), expected);
});

Deno.test("Ctrl-C keeps what was embedded, and the next run goes on", async () => {
  using folder = new TempFolder();
  const photos = writePhotos(folder, "photos", 800);
  const db = `${folder.path}/a.sqlite`;
  const process = start(photos, db);
  const begin = Date.now();
  while (!(await Deno.stat(`${db}.1.f16`).catch(() => undefined))?.size) {
    assert(Date.now() - begin < 60_000, "nothing is written");
    await delay(20);
  }
  process.kill("SIGINT");
  const first = await end(process);
  assertEquals(first.code, 1);
  assertStringIncludes(first.stderr, "interrupted");
  assert(first.summary.images > 0 && first.summary.images < 800);
  const second = await end(start(photos, db));
  assertEquals([second.code, second.summary.images], [0, 800]);
  assertEquals(first.summary.embedded + second.summary.embedded, 720);
});

Deno.test("two processes write to an index one after the other", async () => {
  using folder = new TempFolder();
  const sources = ["a", "b"].map((name) => writePhotos(folder, name, 150));
  const db = `${folder.path}/a.sqlite`;
  const ended = await Promise.all(sources.map((source) => end(start(source, db))));
  assertEquals(ended.map(({ code }) => code), [0, 0]);
  const waited = ended.filter(({ stderr }) => stderr.includes("another process writes to"));
  assert(waited.length >= 1); // both, if they asked at the same moments
  assertEquals(ended.map(({ summary }) => summary.embedded).sort(), [0, 135]);
  assertEquals((await contentOf(db)).counts, { images: 300, vectors: 135 });
});
