import type { PgBoss } from "pg-boss";
import type { SqlClient, SqlRow } from "../postgres/sql_client.ts";

/** What pg-boss needs of a driver. */
export interface BossDatabase {
  /** Runs a statement with values, or a script without. */
  executeSql(text: string, values?: unknown[]): Promise<{ rows: SqlRow[] }>;
}

/**
 * A {@linkcode SqlClient} as pg-boss takes it, also in a transaction under way: then what pg-boss does is part of
 * that transaction.
 */
export function bossDatabase(client: SqlClient): BossDatabase {
  return {
    async executeSql(text, values) {
      if (values !== undefined && values.length > 0) {
        return { rows: await client.query(text, values) };
      }
      // Pools of connections run transactions their own way.
      const [, script] = /^\s*BEGIN;([^]*)COMMIT;\s*$/.exec(text) ?? [];
      const rows = script === undefined
        ? await client.query(text)
        : await client.transaction((inner) => inner.query(script));
      return { rows };
    },
  };
}

/**
 * Makes a pg-boss for a schema. It is never started: it has no timers, and workers call `supervise` at their
 * heartbeats. So it needs no permission and no connection of its own.
 */
export async function bossOf(client: SqlClient, schema: string): Promise<PgBoss> {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({
    db: bossDatabase(client),
    schema,
    migrate: false,
    supervise: false,
    schedule: false,
    registerInstance: false,
    reindex: false,
    monitorVacuum: false,
    // All workers look for lost jobs, and one of them at a time does.
    monitorIntervalSeconds: 2,
  });
  // What fails is thrown, too; an event without a listener would end the process.
  boss.on("error", () => {});
  return boss;
}
