import type { PGlite, Transaction } from "@electric-sql/pglite";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";

/** PGlite as a {@linkcode SqlClient}. */
export function pgliteClient(db: PGlite): SqlClient {
  return {
    query: (sql, values) => run(db, sql, values),
    transaction: (work) =>
      db.transaction((transaction) =>
        work({
          query: (sql, values) => run(transaction, sql, values),
          transaction: () => Promise.reject(new Error("a transaction is in none")),
        })
      ),
  };
}

async function run(
  db: PGlite | Transaction,
  sql: string,
  values?: readonly unknown[],
): Promise<Record<string, unknown>[]> {
  if (values) return (await db.query<Record<string, unknown>>(sql, [...values])).rows;
  const results = await db.exec(sql);
  return results.at(-1)?.rows ?? [];
}
