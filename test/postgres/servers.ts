// Where tests of Postgres run: on PGlite, and on PostgreSQL with pgvector where it can be had.

import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import { pgliteClient } from "./pglite_client.ts";
import { missingPostgres, PostgresServer } from "./postgres_server.ts";

/** A database of one test's own, with nothing but the extension `vector`. */
export interface TestDatabase {
  readonly server: "PGlite" | "PostgreSQL";
  readonly client: SqlClient;
  /** For other clients and processes; PGlite has none. */
  readonly url?: string;
}

/** A {@linkcode TestDatabase} that others reach. */
export type RealDatabase = TestDatabase & { readonly url: string };

type Test<Database> = (database: Database, t: Deno.TestContext) => Promise<void>;

/** In CI, what is missing is a failure. */
const MUST_RUN = Deno.env.get("CI") !== undefined;
const GIVEN = Deno.env.get("POSTGRES_URL");

const missing = GIVEN ? undefined : await missingPostgres();
if (MUST_RUN && missing) throw new Error(`Cannot run test/postgres: ${missing}`);

/** Registers a test on each server. */
export function eachServer(name: string, test: Test<TestDatabase>): void {
  usePglite();
  Deno.test(`${name} (PGlite)`, async (t) => {
    try {
      await test({ server: "PGlite", client: pgliteClient(pglite!) }, t);
    } finally {
      await dropSchemas(pgliteClient(pglite!));
    }
  });
  realServer(name, test);
}

/** Registers a test on PostgreSQL alone. */
export function realServer(name: string, test: Test<RealDatabase>): void {
  useServer();
  Deno.test({
    name: `${name} (PostgreSQL${missing ? `; skipped: ${missing}` : ""})`,
    ignore: missing !== undefined,
    fn: async (t) => {
      const database = `vit_msn_test_${crypto.randomUUID().replaceAll("-", "")}`;
      // A statement that waits for others without an end fails.
      const patient = "?statement_timeout=120000";
      await using admin = await connectPostgres(urlOf("postgres") + patient);
      await admin.query(`create database ${database}`);
      try {
        await using client = await connectPostgres(urlOf(database) + patient);
        await client.query("create extension if not exists vector");
        await test({ server: "PostgreSQL", client, url: urlOf(database) }, t);
      } finally {
        await admin.query(`drop database ${database} with (force)`);
      }
    },
  });
}

let pglite: PGlite | undefined;
let server: PostgresServer | undefined;
const used = new Set<string>();

/** Starts PGlite before the first test of a file, and ends it after the last one. */
function usePglite(): void {
  if (isUsed("PGlite")) return;
  Deno.test.beforeAll(async () => {
    pglite = await PGlite.create({ extensions: { vector } });
    await pglite.exec("create extension vector");
  });
  Deno.test.afterAll(() => pglite?.close());
}

function useServer(): void {
  if (isUsed("PostgreSQL") || GIVEN || missing) return;
  Deno.test.beforeAll(async () => {
    server = await PostgresServer.start();
  });
  Deno.test.afterAll(() => server?.[Symbol.asyncDispose]());
}

function isUsed(name: string): boolean {
  if (used.has(name)) return true;
  used.add(name);
  return false;
}

function urlOf(database: string): string {
  const url = new URL(GIVEN ?? server!.url);
  url.pathname = `/${database}`;
  return url.href;
}

async function dropSchemas(client: SqlClient): Promise<void> {
  const schemas = await client.query(
    `select quote_ident(nspname) as name from pg_namespace
     where nspname not like 'pg\\_%' and nspname not in ('information_schema', 'public')`,
  );
  for (const { name } of schemas) await client.query(`drop schema ${name} cascade`);
}
