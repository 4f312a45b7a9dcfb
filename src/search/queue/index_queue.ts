import type { PgBoss } from "pg-boss";
import { IndexSchema } from "../postgres/index_schema.ts";
import type { SqlClient } from "../postgres/sql_client.ts";
import { bossOf } from "./boss_of.ts";
import {
  DEAD_QUEUE,
  DEAD_QUEUE_SETTINGS,
  INDEX_QUEUE,
  INDEX_QUEUE_SETTINGS,
} from "./queue_settings.ts";

/** Postgres' code of an error: the schema, the table or the like exists. */
const EXISTS = new Set(["42P06", "42P07", "42710", "42723", "23505"]);

/** The queue of an index on Postgres: jobs for workers on any number of machines, kept by pg-boss. */
export interface IndexQueue {
  readonly client: SqlClient;
  /** Where the index's tables are. */
  readonly indexSchema: IndexSchema;
  /** The queue's schema, quoted. */
  readonly schema: string;
  readonly boss: PgBoss;
}

/**
 * Opens the queue of an index.
 *
 * @param indexSchema the name of the index's schema; the queue's is that with `_queue`.
 * @param create whether to make one if there is none.
 * @returns undefined if there is none.
 * @throws {Error} if another version of pg-boss made it.
 */
export async function openQueue(
  client: SqlClient,
  indexSchema: string,
  { create }: { readonly create: boolean },
): Promise<IndexQueue | undefined> {
  const schema = queueSchema(indexSchema);
  const boss = await bossOf(client, schema);
  if (!await boss.isInstalled()) {
    if (!create) return undefined;
    await install(client, schema, boss);
  }
  await assertVersion(schema, boss);
  if (create) {
    await boss.createQueue(DEAD_QUEUE, DEAD_QUEUE_SETTINGS);
    await boss.createQueue(INDEX_QUEUE, INDEX_QUEUE_SETTINGS);
  }
  return { client, indexSchema: new IndexSchema(indexSchema), schema, boss };
}

/** The SQL that makes the queue of an index, without its transaction. */
export async function queueSchemaSql(indexSchema: string): Promise<string> {
  return await constructionSql(queueSchema(indexSchema));
}

async function install(client: SqlClient, schema: string, boss: PgBoss): Promise<void> {
  const sql = await constructionSql(schema);
  try {
    await client.transaction((inner) => inner.query(sql));
  } catch (error) {
    // Another process has made it meanwhile.
    if (!EXISTS.has((error as { code?: string }).code ?? "") || !await boss.isInstalled()) {
      throw error;
    }
  }
}

async function constructionSql(schema: string): Promise<string> {
  const { getConstructionPlans } = await import("pg-boss");
  return getConstructionPlans(schema).replace(/^\s*BEGIN;/, "").replace(/COMMIT;\s*$/, "");
}

async function assertVersion(schema: string, boss: PgBoss): Promise<void> {
  const [, own] = /\.version\(version\) VALUES \('(\d+)'\)/.exec(await constructionSql(schema)) ??
    [];
  const found = await boss.schemaVersion();
  if (found === Number(own)) return;
  throw new Error(
    `Cannot use the queue ${schema}: its tables are those of pg-boss' version ${found}, not ${own}; let its workers ` +
      `finish with the version that made it, drop it with \`drop schema ${schema} cascade\`, and enqueue again`,
  );
}

/** The queue's schema, quoted; the name of an index's schema has no quotes. */
function queueSchema(indexSchema: string): string {
  return `"${new IndexSchema(indexSchema).name}_queue"`;
}
