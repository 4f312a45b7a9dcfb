import { IndexSchema } from "./index_schema.ts";
import type { SqlClient } from "./sql_client.ts";

/** The least versions: of Postgres, pgvector 0.8 runs with; of pgvector, those with iterative scans. */
const MIN_POSTGRES = 13;
const MIN_VECTOR = [0, 8] as const;

/**
 * Checks that a server has what an index needs.
 *
 * @param name of the index's schema.
 * @returns the schema, with where pgvector is.
 * @throws {Error} that names what is missing and who can add it.
 */
export async function checkServer(client: SqlClient, name: string): Promise<IndexSchema> {
  const schema = new IndexSchema(name); // throws before anything is asked
  const [row] = await client.query(`
    select current_setting('server_version') as version,
      current_setting('server_version_num')::int / 10000 as major,
      current_setting('server_encoding') as encoding,
      current_database() as database,
      (select extversion from pg_extension where extname = 'vector') as vector,
      (select nspname from pg_namespace n join pg_extension e on e.extnamespace = n.oid
        where extname = 'vector') as vector_schema,
      (select default_version from pg_available_extensions where name = 'vector') as available`);
  const { version, major, encoding, database, vector, vector_schema, available } = row!;
  if (Number(major) < MIN_POSTGRES) {
    throw new Error(`the server is PostgreSQL ${version}; an index needs ${MIN_POSTGRES} or later`);
  }
  if (encoding !== "UTF8") {
    throw new Error(
      `the database ${database} has the encoding ${encoding}; an index needs one that was created with ` +
        "encoding 'UTF8'",
    );
  }
  if (typeof vector !== "string") {
    throw new Error(
      typeof available === "string"
        ? `the extension vector is not installed in the database ${database}; its owner or a superuser ` +
          `can run \`create extension vector\` there (pgvector ${available} is on the server)`
        : "the server lacks pgvector, 0.8 or later; its administrator can install it (Debian: the package " +
          `postgresql-${major}-pgvector), and then run \`create extension vector\` in the database ${database}`,
    );
  }
  const [first, second] = vector.split(".").map(Number) as [number, number];
  if (first < MIN_VECTOR[0] || first === MIN_VECTOR[0] && second < MIN_VECTOR[1]) {
    throw new Error(
      `the extension vector is version ${vector}; an index needs 0.8 or later: install it on the server and run ` +
        `\`alter extension vector update\` in the database ${database}`,
    );
  }
  return new IndexSchema(schema.name, String(vector_schema));
}
