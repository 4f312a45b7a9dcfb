import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { ConnectionPool } from "../../../src/search/postgres/connection_pool.ts";

// The driver learns a server's types of arrays with the first statement, and may send its values before that.
Deno.test("the first statement of each connection has no values", async () => {
  const sent: [connection: number, text: string, values: unknown][] = [];
  let connections = 0;
  const pool = new ConnectionPool(() => {
    const connection = connections++;
    const unsafe = (text: string, values?: unknown) => {
      sent.push([connection, text, values]);
      return Promise.resolve([{ n: 1 }]);
    };
    return { unsafe, end: () => Promise.resolve() } as unknown as postgres.Sql;
  }, 2);
  const rows = await Promise.all([1, 2, 3].map(() => pool.query("select $1::text[]", [["a"]])));
  assertEquals(rows, [[{ n: 1 }], [{ n: 1 }], [{ n: 1 }]]);
  assertEquals(connections, 2);
  for (const connection of [0, 1]) {
    assertEquals(sent.find(([of]) => of === connection), [connection, "select 1", undefined]);
  }
  assertEquals(sent.filter(([, , values]) => values !== undefined).length, 3);
  await pool.close(0);
});

Deno.test("a connection that cannot be opened lets the next one try", async () => {
  let opened = 0;
  const pool = new ConnectionPool(() => {
    const unsafe = () =>
      ++opened === 1 ? Promise.reject(new Error("refused")) : Promise.resolve([{ n: 1 }]);
    return { unsafe, end: () => Promise.resolve() } as unknown as postgres.Sql;
  }, 1);
  const results = await Promise.allSettled([pool.query("select 2"), pool.query("select 2")]);
  assertEquals(results.map(({ status }) => status), ["rejected", "fulfilled"]);
  await pool.close(0);
});
