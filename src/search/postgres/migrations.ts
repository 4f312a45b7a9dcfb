import type { IndexSchema } from "./index_schema.ts";
import { INDEX_TABLES } from "./migrations/index_tables.ts";
import { WORKER_TABLE } from "./migrations/worker_table.ts";
import type { SqlClient } from "./sql_client.ts";

/** A change of an index's tables. Its place in {@linkcode MIGRATIONS}, from 1 on, is the version that it makes. */
export interface Migration {
  readonly name: string;
  /** Statements, with unqualified names. */
  readonly sql: string;
}

/** All changes, in their order. They only add, so that older readers go on. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "index_tables", sql: INDEX_TABLES },
  { name: "worker_table", sql: WORKER_TABLE },
];

/** The version of an index that this program makes. */
export const INDEX_VERSION = MIGRATIONS.length;

/** The version of an index; 0 if there is none. */
export async function readVersion(client: SqlClient, schema: IndexSchema): Promise<number> {
  // Not by to_regclass, which may not know yet what another process has made a moment ago.
  const [found] = await client.query(
    "select 1 from pg_class join pg_namespace n on n.oid = relnamespace where nspname = $1 and relname = $2",
    [schema.name, "migration"],
  );
  if (!found) return 0;
  const [row] = await client.query(
    `select max(version) as version from ${schema.table("migration")}`,
  );
  return Number(row?.version ?? 0);
}

/** Makes the tables of an index, or brings them up to date: all of it, or nothing. */
export async function migrate(client: SqlClient, schema: IndexSchema): Promise<void> {
  await client.transaction(async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `vit_msn migration ${schema.name}`,
    ]);
    const version = await readVersion(client, schema);
    if (version >= INDEX_VERSION) return; // another process was faster
    // Not by "if not exists": that asks for the right to create schemas even if it is there.
    const [there] = await client.query("select 1 from pg_namespace where nspname = $1", [
      schema.name,
    ]);
    if (!there) await client.query(`create schema "${schema.name}"`);
    await client.query(`set local search_path = ${schema.searchPath}`);
    if (version === 0) await client.query(MIGRATION_TABLE);
    for (const [i, { sql }] of MIGRATIONS.entries()) {
      if (i >= version) await client.query(`${sql}\n${recordOf(i)}`);
    }
  });
}

/** The SQL of all migrations, for people who apply it themselves. */
export function migrationSql(schema: IndexSchema): string {
  const parts = MIGRATIONS.map(({ name, sql }, i) =>
    `-- Migration ${i + 1}: ${name}${sql}${recordOf(i)}\n`
  );
  return `create extension if not exists vector;
create schema if not exists "${schema.name}";
set search_path = "${schema.name}", public, extensions; -- where pgvector is, as Supabase has it
${MIGRATION_TABLE.trim()}

${parts.join("\n")}`;
}

const MIGRATION_TABLE = `
create table if not exists migration (
  version int primary key,
  name text not null,
  applied timestamptz not null default now()
);
`;

function recordOf(i: number): string {
  return `insert into migration (version, name) values (${i + 1}, '${MIGRATIONS[i]!.name}');`;
}
