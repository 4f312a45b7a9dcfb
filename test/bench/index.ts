/**
 * The memory of `deno task index` over many images: `--count N` of 32 × 32 pixels, default 100,000, from a seed, in
 * tar files of 10,000. Prints the memory at ten points of the way, and at the end. `--db postgres://…` indexes into a
 * server instead of a file; give it a new schema.
 *
 * @module
 */

import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import { isPostgresUrl } from "../../src/search/postgres/postgres_address.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import type { VectorIndex } from "../../src/search/vector_index.ts";
import { writePng } from "../../src/image/write_png.ts";
import { tarFile } from "../dataset/tar_file.ts";
import { uniform } from "../random.ts";
import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";

/** Images of a tar file. */
const SHARD = 10_000;
/** How often the index is asked how much it has, in milliseconds. */
const INTERVAL = 500;
const POINTS = 10;
const [SIZE, BLOCK] = [32, 8];

await runBench("bench:index", async () => {
  const { values } = readArguments(Deno.args, ["count", "db"]);
  const [text = "100000"] = values.count;
  const count = Number(text);
  if (!(Number.isSafeInteger(count) && count >= POINTS)) {
    throw new ArgumentError(`--count is ${text}, not an integer from ${POINTS} on`);
  }
  const folder = await Deno.makeTempDir();
  try {
    const sources = await writeTars(folder, count);
    const [db = `${folder}/bench.sqlite`] = values.db;
    await watchIndex(sources, db, count);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Writes the images; returns the paths of the tar files. */
async function writeTars(folder: string, count: number): Promise<string[]> {
  const random = uniform(1);
  const paths: string[] = [];
  for (let first = 0; first < count; first += SHARD) {
    const entries = [];
    for (let i = first; i < Math.min(count, first + SHARD); i++) {
      const content = await writePng({ width: SIZE, height: SIZE, data: blocks(random) });
      entries.push({ name: `${i % 10}/${i}.png`, content });
    }
    const path = `${folder}/${String(paths.length).padStart(5, "0")}.tar`;
    await Deno.writeFile(path, tarFile(entries));
    paths.push(path);
  }
  return paths;
}

/** Pixels of a picture of 4 × 4 colours. */
function blocks(random: () => number): Uint8Array {
  const cells = SIZE / BLOCK;
  const colours = Array.from({ length: 3 * cells ** 2 }, () => Math.floor(256 * random()));
  return Uint8Array.from({ length: 3 * SIZE ** 2 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const [x, y] = [pixel % SIZE, Math.floor(pixel / SIZE)];
    return colours[3 * (Math.floor(y / BLOCK) * cells + Math.floor(x / BLOCK)) + i % 3]!;
  });
}

async function watchIndex(sources: readonly string[], db: string, count: number): Promise<void> {
  const start = performance.now();
  const process = new Deno.Command("deno", {
    args: ["task", "--quiet", "index", ...sources, "--db", db],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  let isOver = false;
  const ended = process.status.then((status) => {
    isOver = true;
    return status;
  });
  console.log(
    `${"images".padStart(9)} ${"s".padStart(7)} ${"MB".padStart(6)} ${"most".padStart(6)}`,
  );
  let last = { now: 0, most: 0 };
  const show = (images: number) => {
    const seconds = (performance.now() - start) / 1000;
    const numbers = [[seconds, 7], [last.now, 6], [last.most, 6]] as const;
    console.log(
      [String(images).padStart(9), ...numbers.map(([n, width]) => n.toFixed(0).padStart(width))]
        .join(" "),
    );
  };
  for (let point = 1; !isOver;) {
    await Promise.race([ended, new Promise((done) => setTimeout(done, INTERVAL))]);
    last = await memoryOf(process.pid) ?? last;
    const images = await countOf(db);
    if (images < point * count / POINTS) continue;
    show(images);
    point = Math.floor(images * POINTS / count) + 1;
  }
  const { code } = await ended;
  show(await countOf(db));
  if (code !== 0) throw new Error(`deno task index ended with ${code}`);
}

/** How many images an index has; 0 before it is made. */
async function countOf(db: string): Promise<number> {
  try {
    await using index: VectorIndex = await openIndex(db);
    return (await index.counts()).images;
  } catch {
    return 0;
  }
}

async function openIndex(db: string): Promise<VectorIndex> {
  if (!isPostgresUrl(db)) return await EmbeddedIndex.open(db);
  const client = await connectPostgres(db);
  const { schema } = client;
  return await PostgresIndex.open(client, { schema, owned: client });
}

/** The memory in MB of a task's command, which is a child of the task's process; undefined when it has ended. */
async function memoryOf(task: number): Promise<{ now: number; most: number } | undefined> {
  // Deno itself reads nothing of /proc without all permissions.
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", 'cat "/proc/$(pgrep -P "$0" -o || echo "$0")/status"', String(task)],
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const of = (name: string) => {
    const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1000;
  };
  const [now, most] = [of("VmRSS"), of("VmHWM")];
  return now === undefined || most === undefined ? undefined : { now, most };
}
