/**
 * Searching an index: `--count N` vectors of 384 numbers, default 100,000, by this project's kernel and by a plain
 * loop in JavaScript; "int8 first" compares queries with codes of the rows first. With `--photos FOLDER`, also
 * indexing the photos, beside `embed` alone; `--rounds N` times, default 3.
 *
 * @module
 */

import { RowCodes } from "../../src/search/scan/row_codes.ts";
import { VectorScan } from "../../src/search/scan/vector_scan.ts";
import { toFloat16 } from "../../src/tensor/float16.ts";
import { uniform } from "../random.ts";
import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";
import { median, processorTime, timesOf } from "./support/measure.ts";
import { plainLoop } from "./support/plain_loop.ts";

const [DIMENSION, K, QUERIES] = [384, 10, 8];
/** As a threshold of near-duplicates. */
const PAIRS_ABOVE = 0.975;

await runBench("bench:search", async () => {
  const { values } = readArguments(Deno.args, ["count", "photos", "rounds"]);
  await scanBench(numberOf("count", values.count, 100_000), 15);
  const [photos] = values.photos;
  if (photos !== undefined) await indexBench(photos, numberOf("rounds", values.rounds, 3));
});

function numberOf(name: string, [text]: readonly string[], otherwise: number): number {
  const number = Number(text ?? otherwise);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new ArgumentError(`--${name} is ${text}, not a positive integer`);
}

async function scanBench(count: number, rounds: number): Promise<void> {
  const random = uniform(1);
  const exact = new VectorScan(DIMENSION, { encodeAfter: Infinity });
  const coded = new VectorScan(DIMENSION, { encodeAfter: 0 });
  exact.reserve(count);
  coded.reserve(count);
  const vectors = new Float32Array(count * DIMENSION);
  const centres = Array.from({ length: 1000 }, () => randomVector(random));
  for (let r = 0; r < count; r++) {
    const centre = centres[Math.floor(random() * centres.length)]!;
    const row = vectors.subarray(r * DIMENSION, (r + 1) * DIMENSION);
    let squares = 0;
    for (let i = 0; i < DIMENSION; i++) {
      row[i] = centre[i]! + 0.5 * (random() - 0.5);
      squares += row[i]! ** 2;
    }
    const length = Math.sqrt(squares);
    for (let i = 0; i < DIMENSION; i++) row[i]! /= length;
    const halves = toFloat16({ dtype: "float32", shape: [DIMENSION], data: row });
    exact.rows(r, 1).set(halves.data);
  }
  const rows = exact.rows(0, count);
  coded.rows(0, count).set(rows);
  const queries = Array.from(
    { length: QUERIES },
    (_, q) => vectors.slice(q * DIMENSION, (q + 1) * DIMENSION),
  );
  const one = queries.slice(0, 1);
  const many = Array.from({ length: 8 }, () => queries).flat();
  const times = await timesOf(
    {
      "float16, one query": () => exact.nearest(one, K),
      "int8 first, one query": () => coded.nearest(one, K),
      "float16, eight queries": () => exact.nearest(queries, K),
      "int8 first, eight queries": () => coded.nearest(queries, K),
      "float16, 64 queries for pairs": () => exact.above(many, PAIRS_ABOVE, () => {}),
      "int8 first, 64 queries for pairs": () => coded.above(many, PAIRS_ABOVE, () => {}),
      "plain JavaScript, float32, one query": () => plainLoop(vectors, queries[0]!, K),
      "making the codes": () => new RowCodes(DIMENSION).append(rows),
      "checking the flat file": () => exact.checksum(0, count),
    },
    rounds,
    processorTime,
  );
  console.log(`${count} vectors of ${DIMENSION} numbers, the ${K} nearest, ms of a processor:`);
  console.log(`  ${"".padEnd(38)} minimum  median`);
  for (const [name, of] of Object.entries(times)) {
    const [least, middle] = [Math.min(...of), median(of)].map((ms) => ms.toFixed(1).padStart(7));
    console.log(`  ${name.padEnd(38)} ${least} ${middle}`);
  }
}

function randomVector(random: () => number): Float32Array {
  return Float32Array.from({ length: DIMENSION }, () => random() - 0.5);
}

/** A process's time and the most memory it had. */
interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

async function indexBench(photos: string, rounds: number): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const runs: Record<string, Run[]> = { embed: [], index: [], again: [] };
    for (let round = 0; round < rounds; round++) {
      const db = ["--db", `${folder}/${round}.sqlite`];
      runs.embed!.push(await timed(["src/cli/embed.ts", photos]));
      runs.index!.push(await timed(["src/cli/index.ts", photos, ...db]));
      runs.again!.push(await timed(["src/cli/index.ts", photos, ...db]));
    }
    console.log(`${photos}, medians of ${rounds} runs:`);
    for (const [name, of] of Object.entries(runs)) {
      const middle = (key: keyof Run) => median(of.map((run) => run[key]));
      console.log(
        `  ${name.padEnd(6)} ${middle("seconds").toFixed(1).padStart(6)} s, ` +
          `${middle("cpuSeconds").toFixed(1).padStart(6)} s of processors, ` +
          `${middle("peakMb").toFixed(0).padStart(4)} MB at most`,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a command in a process of its own, under a shell that measures it. */
async function timed(args: readonly string[]): Promise<Run> {
  const start = performance.now();
  const process = new Deno.Command("bash", {
    args: [
      "-c",
      // /proc/PID is there until the shell has waited for the process; its peak only grows.
      'deno run --quiet --lock --frozen --allow-read --allow-write --allow-env=INIT_CWD "$@" >/dev/null &\n' +
      "while kill -0 $! 2>/dev/null; do grep VmHWM /proc/$!/status 2>/dev/null; sleep 0.2; done; wait $!; " +
      "code=$?; times; exit $code",
      "bash",
      ...args,
    ],
    stdout: "piped",
    stderr: "inherit",
  });
  const { code, stdout } = await process.output();
  const seconds = (performance.now() - start) / 1000;
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`);
  const peaks = [...text.matchAll(/VmHWM:\s*(\d+) kB/g)].map(([, kb]) => Number(kb) / 1000);
  const [, , children = ""] = /(\d+m[\d.]+s \d+m[\d.]+s)\n(\d+m[\d.]+s \d+m[\d.]+s)/.exec(text) ??
    [];
  const cpuSeconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
    .reduce((sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest), 0);
  return { seconds, cpuSeconds, peakMb: Math.max(0, ...peaks) };
}
