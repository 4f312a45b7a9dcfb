import { assertEquals, assertRejects } from "@std/assert";
import type postgres from "postgres";
import { ConnectionPool } from "../../../src/search/postgres/connection_pool.ts";

Deno.test("arrays are sent as text", async () => {
  const sent: unknown[] = [];
  const pool = new ConnectionPool(
    () => {
      const unsafe = (_: string, values?: unknown) => {
        sent.push(values);
        return Promise.resolve([{ n: 1 }]);
      };
      return { unsafe, end: () => Promise.resolve() } as unknown as postgres.Sql;
    },
    2,
    1000,
  );
  await pool.query("select $1::text[], $2", [["a", 'b"\\,}', null, ""], "{x}"]);
  assertEquals(sent.at(-1), [String.raw`{"a","b\"\\,}",NULL,""}`, "{x}"]);
  await pool.close(0);
});

Deno.test("a connection that cannot be opened lets the next one try", async () => {
  let opened = 0;
  const pool = new ConnectionPool(
    () => {
      const unsafe = () =>
        ++opened === 1 ? Promise.reject(new Error("refused")) : Promise.resolve([{ n: 1 }]);
      return { unsafe, end: () => Promise.resolve() } as unknown as postgres.Sql;
    },
    1,
    1000,
  );
  const results = await Promise.allSettled([pool.query("select 2"), pool.query("select 2")]);
  assertEquals(results.map(({ status }) => status), ["rejected", "fulfilled"]);
  await pool.close(0);
});

Deno.test("a connection that does not open in time is given up", async () => {
  const pool = new ConnectionPool(
    () => {
      const unsafe = () => new Promise<never>(() => {});
      return { unsafe, end: () => Promise.resolve() } as unknown as postgres.Sql;
    },
    1,
    10,
  );
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(() => pool.query("select 2"), Error, "it took too long");
    assertEquals((error as { code?: string }).code, "CONNECT_TIMEOUT");
  }
  await pool.close(0);
});
