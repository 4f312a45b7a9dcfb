import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { ConnectionPool } from "../../../src/search/postgres/connection_pool.ts";

// The driver may send a connection's first values before it has learnt the server's types of arrays.
Deno.test("arrays are sent as text", async () => {
  const sent: unknown[] = [];
  const pool = new ConnectionPool(() => {
    const unsafe = (_: string, values?: unknown) => {
      sent.push(values);
      return Promise.resolve([{ n: 1 }]);
    };
    return { unsafe, end: () => Promise.resolve() } as unknown as postgres.Sql;
  }, 2);
  await pool.query("select $1::text[], $2", [["a", 'b"\\,}', null, ""], "{x}"]);
  assertEquals(sent, [[String.raw`{"a","b\"\\,}",NULL,""}`, "{x}"]]);
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
