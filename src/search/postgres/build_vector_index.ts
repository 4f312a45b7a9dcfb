import type { IndexSchema } from "./index_schema.ts";
import type { SqlClient } from "./sql_client.ts";

/** The name of the HNSW index. */
const HNSW = "embedding_hnsw";

/** From so many vectors on, comparing all takes longer than a search through the graph. */
const MIN_VECTORS = 10_000;

/** The index of a schema and a name, for SQL. to_regclass may not know what another process has just made. */
const INDEX = `pg_index join pg_class c on c.oid = indexrelid
  join pg_namespace n on n.oid = c.relnamespace where nspname = $1 and c.relname = $2`;

/** Postgres' codes of a name that is taken and of a deadlock. */
const COLLISIONS = ["42P07", "40P01"];
const ATTEMPTS = 10;

/** What an HNSW index of halves can have. */
const MAX_DIMENSION = 4000;

/**
 * The breadth with which building looks for a vector's neighbours. pgvector's 64 misses too many of them in an index of
 * a million; see the benchmarks.
 */
const EF_CONSTRUCTION = 128;

/** The statement that builds the HNSW index: cosines of vectors of the model's dimension. */
export function vectorIndexSql(schema: IndexSchema, dimension: number): string {
  return `create index concurrently ${HNSW} on ${schema.table("embedding")} using hnsw ` +
    `((vector::${schema.type(`halfvec(${dimension})`)}) ${schema.type("halfvec_cosine_ops")}) ` +
    `with (ef_construction = ${EF_CONSTRUCTION})`;
}

/** Whether there is an HNSW index that searches can use. */
export async function hasVectorIndex(client: SqlClient, schema: IndexSchema): Promise<boolean> {
  const [row] = await client.query(
    `select indisvalid from ${INDEX}`,
    [schema.name, HNSW],
  );
  return row?.indisvalid === true;
}

/**
 * Builds the HNSW index if there are enough vectors and none is there or under way. Others can read and write
 * meanwhile. What a build that was killed left is dropped first.
 */
export async function buildVectorIndex(
  client: SqlClient,
  schema: IndexSchema,
  dimension: number,
  minVectors: number = MIN_VECTORS,
): Promise<void> {
  if (dimension > MAX_DIMENSION) return;
  const [row] = await client.query(
    `select count(*) as count from (select 1 from ${
      schema.table("embedding")
    } limit ${minVectors}) as first`,
  );
  if (Number(row!.count) < minVectors) return;
  // Two that begin at the same moment may be in each other's way: then one has to drop what it began.
  for (let attempt = 1;; attempt++) {
    if (await isBuilt(client, schema)) return;
    try {
      await client.query(vectorIndexSql(schema, dimension));
      return;
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (attempt === ATTEMPTS || !COLLISIONS.includes(code)) throw error;
      await new Promise((done) => setTimeout(done, 100 * attempt * Math.random()));
    }
  }
}

/** Whether the index is there or under way; a broken one is dropped. */
async function isBuilt(client: SqlClient, schema: IndexSchema): Promise<boolean> {
  return await client.transaction(async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `vit_msn vectors ${schema.name}`,
    ]);
    const [state] = await client.query(
      `select indisvalid or exists (select 1 from pg_stat_progress_create_index
        where index_relid = indexrelid) as there from ${INDEX}`,
      [schema.name, HNSW],
    );
    if (!state) return false;
    if (state.there === true) return true;
    await client.query(`drop index ${schema.table(HNSW)}`);
    return false;
  });
}
