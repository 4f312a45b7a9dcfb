import type { ImageFilter, Neighbour } from "../vector_index.ts";
import { globToRegex } from "./glob_to_regex.ts";
import { imageOf } from "../image_row.ts";
import type { IndexSchema } from "./index_schema.ts";
import type { SqlClient, SqlRow } from "./sql_client.ts";
import { numbersToText } from "./vector_text.ts";

/** Candidates beyond `k`: the server compares halves with halves, and of the best the exact similarity counts. */
const MORE = 20;
/** The least breadth of a search through the graph, and the most that pgvector takes. */
const MIN_EF = 100;
const MAX_EF = 1000;

/** The breadth for a million vectors: all of the ten nearest in small clusters are found, with 100 it is 0.995. */
const EF_OF_A_MILLION = 200;

/**
 * The SQL that sets, in a transaction, how a search through the graph looks for `k` images: with a breadth that grows
 * with `k` and with the root of the number of vectors, or that of the connection, if that is larger.
 */
export function graphSettings(k: number, schema: IndexSchema): string {
  const breadth = Math.min(MAX_EF, Math.max(MIN_EF, 2 * k));
  const bySize = `least(${MAX_EF}, ${EF_OF_A_MILLION} * sqrt(greatest(reltuples, 0) / 1e6))::int`;
  return `select set_config('hnsw.ef_search',
    greatest(nullif(current_setting('hnsw.ef_search', true), '')::int, ${breadth}, ${bySize})::text, true)
    from pg_class where oid = '${schema.table("embedding")}'::regclass;
    set local hnsw.iterative_scan = relaxed_order`;
}

/** A query of {@linkcode nearestImages}. */
export interface NearestQuery {
  /** [D], of length 1. */
  readonly unit: Float32Array;
  readonly k: number;
  readonly where: ImageFilter;
  /** Whether there is an HNSW index. */
  readonly isGraph: boolean;
}

/**
 * Finds the images nearest to a query: `k`, or all that match. It runs in a transaction of the caller's with
 * {@linkcode graphSettings}.
 *
 * Through the graph, pgvector gives up after `hnsw.max_scan_tuples` vectors, and finds no vector of length 0. So if
 * fewer come than were asked for, all vectors are compared.
 */
export async function nearestImages(
  client: SqlClient,
  schema: IndexSchema,
  { unit, k, where, isGraph }: NearestQuery,
): Promise<Neighbour[]> {
  let isExact = !isGraph;
  // A path of two sources may have two vectors, so that there may be fewer paths than vectors.
  for (let limit = k + MORE;;) {
    if (limit > MAX_EF) isExact = true;
    const rows = await candidates(client, schema, { unit, k, where }, limit, isExact);
    const neighbours = neighboursOf(rows);
    const found = new Set(rows.map(({ number }) => number)).size;
    if (found >= limit && neighbours.length < k) {
      limit *= 2;
      await client.query(graphSettings(limit, schema));
    } else if (found < limit && !isExact) {
      isExact = true;
    } else return neighbours.slice(0, k);
  }
}

/** The images of the vectors nearest to a query, with numbers of these. */
async function candidates(
  client: SqlClient,
  schema: IndexSchema,
  { unit, k, where }: Omit<NearestQuery, "isGraph">,
  limit: number,
  isExact: boolean,
): Promise<SqlRow[]> {
  const values: unknown[] = [numbersToText(unit), limit, k];
  const conditions = conditionOf(where, values);
  const [image, embedding] = [schema.table("image"), schema.table("embedding")];
  const dimension = unit.length;
  // The planner takes the graph only for the very expression that it was built on.
  const halves = isExact ? "vector" : `(vector::${schema.type(`halfvec(${dimension})`)})`;
  const query = `$1::text::${schema.type(`halfvec(${dimension})`)}`;
  const matches = conditions === ""
    ? ""
    : `where exists (select 1 from ${image} image where image.sha256 = embedding.sha256${conditions})`;
  return await client.query(
    `with candidate as materialized (
      select sha256, vector from ${embedding} embedding ${matches}
      order by ${halves} ${schema.operator("<=>")} ${query} limit $2::bigint
    )
    select encode(candidate.sha256, 'hex') as number, image.*,
      -(vector::${schema.type("vector")} ${schema.operator("<#>")} $1::text::${
      schema.type("vector")
    }) as similarity
    from candidate left join lateral (
      select distinct on (path) path, label, container, start, size, source from ${image} image
      where image.sha256 = candidate.sha256${conditions} order by path, source limit $3::bigint
    ) image on true
    order by similarity desc, path, source`,
    values,
  );
}

function neighboursOf(rows: readonly SqlRow[]): Neighbour[] {
  const found = new Map<unknown, Neighbour>();
  for (const row of rows) {
    // A vector whose image changed is there until its writer finishes.
    if (row.path === null || found.has(row.path)) continue;
    // Rounding to float16 makes lengths differ from 1 a little.
    const similarity = Math.max(-1, Math.min(1, Number(row.similarity)));
    found.set(row.path, { ...imageOf(row), similarity });
  }
  return [...found.values()];
}

/** A filter as SQL that follows other conditions; its parameters are added to `values`. */
function conditionOf({ label, path }: ImageFilter, values: unknown[]): string {
  const all = (one: string | readonly string[]) => (typeof one === "string" ? [one] : [...one]);
  let sql = "";
  if (label !== undefined) {
    sql += ` and image.label = any($${values.push(all(label).filter(isText))}::text[])`;
  }
  if (path !== undefined) {
    const patterns = all(path).filter(isText).map(globToRegex);
    // One by one, as the planner then uses the paths' index for what a pattern begins with.
    const tests = patterns.map((pattern) => `image.path ~ $${values.push(pattern)}::text`);
    sql += ` and (${["false", ...tests].join(" or ")})`;
  }
  return sql;
}

/** Whether Postgres can have such a text. */
function isText(text: string): boolean {
  return !text.includes("\0");
}
