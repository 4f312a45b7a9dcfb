import { assertEquals } from "@std/assert";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import { eachServer, realServer } from "./servers.ts";

// That of Debian 13; PGlite's is newer.
eachServer("the server has pgvector 0.8", async ({ client }) => {
  const rows = await client.query(
    "select extversion like '0.8.%' as is_known from pg_extension where extname = $1",
    ["vector"],
  );
  assertEquals(rows, [{ is_known: true }]);
});

for (const number of [1, 2]) {
  eachServer(`a test finds nothing of the one before it: ${number} of 2`, async ({ client }) => {
    await client.query("create schema mine; create table mine.t (n int)");
  });
}

eachServer("what a failed transaction has written is gone", async ({ client }) => {
  await client.query("create schema mine; create table mine.t (n int)");
  const failed = client.transaction(async (inner) => {
    await inner.query("insert into mine.t values ($1)", [1]);
    throw new Error("on purpose");
  });
  assertEquals(await failed.catch((error) => error.message), "on purpose");
  const count = await client.transaction((inner) =>
    inner.query("select count(*)::int from mine.t")
  );
  assertEquals(count, [{ count: 0 }]);
});

realServer("others reach the database by its URL", async ({ client, url }) => {
  await client.query("create schema mine; create table mine.t as select 7 as n");
  await using other = await connectPostgres(url);
  assertEquals(await other.query("select n from mine.t"), [{ n: 7 }]);
});
