import postgres from "postgres";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";

/** A client of a server, until it is disposed of. */
export function postgresClient(url: string): SqlClient & AsyncDisposable {
  const sql = postgres(url, { onnotice: () => {} });
  return {
    ...clientOf(sql),
    [Symbol.asyncDispose]: () => sql.end(),
  };
}

function clientOf(sql: postgres.Sql | postgres.TransactionSql): SqlClient {
  return {
    async query(text, values) {
      const result = values
        ? await sql.unsafe(text, [...values] as postgres.ParameterOrJSON<never>[])
        : await sql.unsafe(text).simple();
      // A script's result is one of each statement.
      const last = Array.isArray(result.at(-1)) ? result.at(-1) : result;
      return [...last as unknown as Record<string, unknown>[]];
    },
    transaction: async (run) => {
      if (!("begin" in sql)) throw new Error("a transaction is in none");
      return await sql.begin((inner) => run(clientOf(inner))) as Awaited<ReturnType<typeof run>>;
    },
  };
}
