/**
 * The same vectors in all indexes, side by side: the embedded one, PostgreSQL with pgvector (compared all, and through
 * the HNSW graph), PGlite, and a plain loop in JavaScript. `--count N` vectors of 384 numbers in clusters, default
 * 100,000, or those of an index: `--db photos.sqlite`. `--queries N`, default 200, are vectors of the same kind that
 * no index has. `--pglite N`: so many vectors in PGlite, default 10,000; 0 for none. PostgreSQL is that of
 * `POSTGRES_URL`, or one like that of `test:postgres`.
 *
 * @module
 */

import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import { bytesOfHalves } from "../../src/search/half_bytes.ts";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import { VectorScan } from "../../src/search/scan/vector_scan.ts";
import type { IndexedModel, ReadImage, VectorIndex } from "../../src/search/vector_index.ts";
import { toFloat16, toFloat32 } from "../../src/tensor/float16.ts";
import { pgliteClient } from "../postgres/pglite_client.ts";
import { missingPostgres, PostgresServer } from "../postgres/postgres_server.ts";
import { eachClustered } from "../search/clustered.ts";
import { ArgumentError, InputError, readArguments, runBench } from "./support/arguments.ts";
import { readProcessor } from "./support/host/processor.ts";
import { markdownTable } from "./support/markdown_table.ts";
import { median } from "./support/measure.ts";
import { plainLoop } from "./support/plain_loop.ts";

const [DIMENSION, K] = [384, 10];
/** Images of a transaction. */
const BATCH = 500;
/** A query that takes longer than others does not take all evening: so many of them are enough for the time. */
const SLOW_QUERIES = 50;

/** Vectors, and some that none of them is. */
interface Data {
  /** float16 [count, D]. */
  readonly scan: VectorScan;
  readonly count: number;
  readonly dimension: number;
  /** Each [D]. */
  readonly queries: readonly Float32Array[];
}

/** What was measured of one way to search. */
interface Row {
  readonly name: string;
  readonly vectors: number;
  readonly milliseconds?: readonly number[];
  readonly recall?: number;
  /** Vectors a second. */
  readonly inserts?: number;
  /** Of the HNSW graph. */
  readonly buildSeconds?: number;
}

await runBench("bench:postgres", async () => {
  const { values } = readArguments(Deno.args, ["count", "db", "queries", "pglite"]);
  const count = numberOf("count", values.count, 100_000, 1000);
  const queries = numberOf("queries", values.queries, 200, 1);
  const pglite = numberOf("pglite", values.pglite, 10_000, 0);
  const missing = Deno.env.get("POSTGRES_URL") ? undefined : await missingPostgres();
  if (missing) throw new InputError(missing);
  const [db] = values.db;
  const data = db === undefined ? clusteredData(count, queries) : await dataOf(db, queries);
  const truth = nearest(data);
  const rows: Row[] = [plainRow(data, truth)];
  const show = (row: Row) => {
    rows.push(row);
    console.error(JSON.stringify({ ...row, milliseconds: medianOf(row) }));
  };
  await embedded(data, truth, show);
  await postgres(data, truth, show);
  if (pglite > 0) {
    const fewer = Math.min(pglite, data.count);
    // Not a part of the clusters, which would be too few of each for clusters.
    const part = db === undefined ? clusteredData(fewer, queries) : firstOf(data, fewer);
    await inPglite(part, nearest(part), show);
  }
  const { processor } = await readProcessor();
  console.log(
    `${processor}; ${db ?? "vectors in clusters"}; the ${K} nearest of ${data.dimension} numbers\n`,
  );
  console.log(markdownTable(
    {
      "index": ({ name }) => name,
      "vectors": ({ vectors }) => vectors.toLocaleString("en"),
      "ms a query": (row) => row.milliseconds ? medianOf(row)!.toFixed(1) : "",
      "least": ({ milliseconds }) => milliseconds ? Math.min(...milliseconds).toFixed(1) : "",
      "recall@10": ({ recall }) => recall?.toFixed(4) ?? "",
      "vectors/s written": ({ inserts }) => inserts?.toFixed(0) ?? "",
      "graph, s": ({ buildSeconds }) => buildSeconds?.toFixed(1) ?? "",
    },
    1,
    rows,
  ));
});

function medianOf({ milliseconds }: Row): number | undefined {
  return milliseconds && median(milliseconds);
}

function numberOf(
  name: string,
  [text]: readonly string[],
  otherwise: number,
  least: number,
): number {
  const number = Number(text ?? otherwise);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new ArgumentError(`--${name} is ${text}, not an integer from ${least} on`);
}

function clusteredData(count: number, queryCount: number): Data {
  const scan = new VectorScan(DIMENSION);
  scan.reserve(count);
  const queries: Float32Array[] = [];
  let slot = 0;
  for (const data of eachClustered(count + queryCount, DIMENSION)) {
    if (slot === count) queries.push(data);
    else scan.rows(slot++, 1).set(toFloat16({ dtype: "float32", shape: [DIMENSION], data }).data);
  }
  return { scan, count, dimension: DIMENSION, queries };
}

/** The contents of an index; those that are queries are evenly spread over it, and not among the others. */
async function dataOf(db: string, queryCount: number): Promise<Data> {
  await using index = await EmbeddedIndex.open(db);
  const { dimension } = index.model;
  const { vectors } = await index.counts();
  const step = Math.floor(vectors / queryCount);
  if (step < 2) {
    throw new InputError(`${db} has ${vectors} vectors, too few for ${queryCount} queries`);
  }
  const scan = new VectorScan(dimension);
  scan.reserve(vectors);
  const queries: Float32Array[] = [];
  const seen = new Set<string>();
  let count = 0;
  for await (const { sha256, vector } of index.images()) {
    if (seen.has(sha256)) continue;
    seen.add(sha256);
    if (seen.size % step === 0 && queries.length < queryCount) queries.push(toNumbers(vector));
    else scan.rows(count++, 1).set(vector);
  }
  return { scan, count, dimension, queries };
}

function firstOf({ scan: all, queries, dimension }: Data, count: number): Data {
  const scan = new VectorScan(dimension);
  scan.reserve(count);
  scan.rows(0, count).set(all.rows(0, count));
  return { scan, count, dimension, queries };
}

function toNumbers(data: Uint16Array): Float32Array {
  return toFloat32({ dtype: "float16", shape: [data.length], data }).data as Float32Array;
}

/** The paths that each query must find. */
function nearest({ scan, queries }: Data): Set<string>[] {
  return scan.nearest(queries, K).map((hits) => new Set(hits.map(({ slot }) => String(slot))));
}

function recallOf(truth: readonly Set<string>[], found: readonly (readonly string[])[]): number {
  const hits = found.map((paths, q) => paths.filter((path) => truth[q]!.has(path)).length);
  return hits.reduce((sum, n) => sum + n, 0) / (K * found.length);
}

function plainRow({ scan, count, dimension, queries }: Data, truth: readonly Set<string>[]): Row {
  const vectors = new Float32Array(count * dimension);
  for (let r = 0; r < count; r++) {
    vectors.set(toNumbers(scan.rows(r, 1).slice(0, dimension)), r * dimension);
  }
  const milliseconds: number[] = [];
  const found = queries.slice(0, SLOW_QUERIES).map((query) => {
    const start = performance.now();
    const hits = plainLoop(vectors, query, K);
    milliseconds.push(performance.now() - start);
    return hits.map(({ slot }) => String(slot));
  });
  return {
    name: "plain loop, float32",
    vectors: count,
    milliseconds,
    recall: recallOf(truth, found),
  };
}

/** Searches for one query after the other. */
async function searchRow(
  name: string,
  index: VectorIndex,
  { count, queries }: Data,
  truth: readonly Set<string>[],
): Promise<Row> {
  const milliseconds: number[] = [];
  const found: string[][] = [];
  await index.search(queries.slice(0, 1), { k: K }); // vectors are loaded, code is compiled
  for (const query of queries) {
    const start = performance.now();
    const [neighbours] = await index.search([query], { k: K });
    milliseconds.push(performance.now() - start);
    found.push(neighbours!.map(({ path }) => path));
  }
  return { name, vectors: count, milliseconds, recall: recallOf(truth, found) };
}

/** Writes all vectors; returns how many a second. */
async function fill(index: VectorIndex, { scan, count, dimension }: Data): Promise<number> {
  await using writer = await index.write();
  const start = performance.now();
  for (let from = 0; from < count; from += BATCH) {
    const images = Array.from({ length: Math.min(BATCH, count - from) }, async (_, i) => {
      const vector = scan.rows(from + i, 1).slice(0, dimension);
      return {
        path: String(from + i),
        size: 1,
        modified: 1,
        sha256: await hashOf(vector),
        vector: toNumbers(vector),
      } satisfies ReadImage;
    });
    await writer.put("vectors", await Promise.all(images));
  }
  return 1000 * count / (performance.now() - start);
}

async function hashOf(vector: Uint16Array): Promise<string> {
  return new Uint8Array(
    await crypto.subtle.digest("SHA-256", bytesOfHalves(vector) as Uint8Array<ArrayBuffer>),
  ).toHex();
}

function modelOf({ dimension }: Data): IndexedModel {
  return { sha256: "00", name: "bench", pool: "cls", decode: "standard", dimension };
}

type Show = (row: Row) => void;

async function embedded(data: Data, truth: readonly Set<string>[], show: Show): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using index = await EmbeddedIndex.create(`${folder}/bench.sqlite`, modelOf(data));
    const inserts = await fill(index, data);
    show({ ...await searchRow("embedded", index, data, truth), inserts });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function postgres(data: Data, truth: readonly Set<string>[], show: Show): Promise<void> {
  const given = Deno.env.get("POSTGRES_URL");
  await using server = given ? undefined : await PostgresServer.start();
  const schema = `bench_${crypto.randomUUID().slice(0, 8)}`;
  await using client = await connectPostgres(`${given ?? `${server!.url}/postgres`}`);
  try {
    await client.query("create extension if not exists vector");
    await using index = await PostgresIndex.create(client, modelOf(data), { schema });
    await beforeAndAfter("PostgreSQL, pgvector", index, data, truth, show);
  } finally {
    await client.query(`drop schema if exists ${schema} cascade`);
  }
}

async function inPglite(data: Data, truth: readonly Set<string>[], show: Show): Promise<void> {
  const db = await PGlite.create({ extensions: { vector } });
  try {
    await db.exec("create extension vector");
    await using index = await PostgresIndex.create(pgliteClient(db), modelOf(data));
    await beforeAndAfter("PGlite", index, data, truth, show);
  } finally {
    await db.close();
  }
}

/** Searches without the graph, which a writer only builds when it finishes, and with it. */
async function beforeAndAfter(
  name: string,
  index: PostgresIndex,
  data: Data,
  truth: readonly Set<string>[],
  show: Show,
): Promise<void> {
  const inserts = await fill(index, data);
  const few = { ...data, queries: data.queries.slice(0, SLOW_QUERIES) };
  show({ ...await searchRow(`${name}, exact`, index, few, truth), inserts });
  const start = performance.now();
  await using writer = await index.write();
  await writer.finish();
  const buildSeconds = (performance.now() - start) / 1000;
  show({ ...await searchRow(`${name}, HNSW`, index, data, truth), buildSeconds });
}
