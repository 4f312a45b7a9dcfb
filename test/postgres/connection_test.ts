import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { buildVectorIndex, hasVectorIndex } from "../../src/search/postgres/build_vector_index.ts";
import { checkServer } from "../../src/search/postgres/check_server.ts";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import { isConnectionBroken, postgresError } from "../../src/search/postgres/postgres_error.ts";
import { retried } from "../../src/search/postgres/retried.ts";
import type { SqlClient, SqlRow } from "../../src/search/postgres/sql_client.ts";
import { images, MODEL } from "../search/index_cases.ts";
import { eachServer, realServer } from "./servers.ts";

/** What {@linkcode connectPostgres} rejects with, which never has the password. */
async function refusal(address: string): Promise<string> {
  const { message } = await assertRejects(() => connectPostgres(address), Error);
  assert(!message.includes("secret"), message);
  return message;
}

/** The message of a server that says no to everyone. */
function errorResponse(code: string, message: string): Uint8Array {
  const body = new TextEncoder().encode(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = "E".charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, 4 + body.length);
  bytes.set(body, 5);
  return bytes;
}

for (
  const [code, message, words] of [
    [
      "28P01",
      'password authentication failed for user "me"',
      "the server refuses the password of me",
    ],
    ["28000", "no pg_hba.conf entry", "the server refuses me (no pg_hba.conf entry)"],
    ["53300", "too many clients", "has no free connection (too many clients)"],
  ] as const
) {
  Deno.test(`a server that refuses with ${code} is told of, without the password`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for await (const connection of listener) {
        await connection.read(new Uint8Array(1024));
        await connection.write(errorResponse(code, message));
        connection.close();
      }
    })();
    const { port } = listener.addr as Deno.NetAddr;
    assertStringIncludes(await refusal(`postgres://me:secret@127.0.0.1:${port}/photos`), words);
    listener.close();
    await serving;
  });
}

Deno.test("an address that is none, a closed port and a silent server are told of, without the password", async () => {
  assertStringIncludes(await refusal("postgres://me:se#secret@db/x"), "such as %23 for #");
  for (const end of ["p@ss/secret:d@db/x", "1@secret/x@db/x", "1@db/x#secret", "1?secret@db/x"]) {
    assertStringIncludes(await refusal(`postgres://me:${end}`), "such as %23 for #");
  }
  assertStringIncludes(await refusal("postgres://me:%E0%A4%A@db/secret"), "such as %23 for #");
  assertStringIncludes(await refusal("postgres://me:secret@db/x?schema=A"), 'the schema "A"');
  for (const seconds of ["soon", "0", "1e9"]) {
    assertStringIncludes(
      await refusal(`postgres://me:secret@db/x?connect_timeout=${seconds}`),
      `connect_timeout is ${seconds}; give seconds`,
    );
  }
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const address = `postgres://me:secret@127.0.0.1:${port}/photos`;
  const accepted = listener.accept();
  assertStringIncludes(await refusal(`${address}?connect_timeout=0.3`), "does not answer");
  (await accepted).close();
  listener.close();
  assertEquals(
    await refusal(address),
    `Cannot connect to postgres://me@127.0.0.1:${port}/photos: no server answers at 127.0.0.1:${port}; ` +
      "start it, or correct the address",
  );
});

Deno.test("a server that closes new connections is told of, whenever it does", async () => {
  const ready = Uint8Array.of(82, 0, 0, 0, 8, 0, 0, 0, 0, 90, 0, 0, 0, 5, 73); // authenticated, and ready for a query
  for (
    const [isReady, words] of [[false, "does not answer"], [true, "closes the connection"]] as const
  ) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for await (const connection of listener) {
        await connection.read(new Uint8Array(1024));
        if (isReady) {
          await connection.write(ready);
          await connection.read(new Uint8Array(1024));
          await connection.write(errorResponse("57P01", "terminating connection"));
        }
        connection.close();
      }
    })();
    const { port } = listener.addr as Deno.NetAddr;
    const address = `postgres://me:secret@127.0.0.1:${port}/photos?connect_timeout=0.3`;
    assertStringIncludes(await refusal(address), words);
    listener.close();
    await serving;
  }
});

Deno.test("a server without TLS is told of where the address asks for it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(8)); // SSLRequest
    await connection.write(new TextEncoder().encode("N"));
    connection.close();
  })();
  assertStringIncludes(
    await refusal(`postgres://me:secret@127.0.0.1:${port}/photos?sslmode=require`),
    "it may not speak TLS, which sslmode asks for",
  );
  await serving;
});

realServer("a database that is not there is told of", async ({ url }) => {
  assertStringIncludes(await refusal(`${url}_none`), "there is no database vit_msn_test_");
});

realServer(
  "values, scripts and transactions go through the driver as they are",
  async ({ url }) => {
    await using client = await connectPostgres(`${url}?schema=pets&application_name=mine`);
    assertEquals(client.schema, "pets");
    assert(client.name.endsWith("?schema=pets"));
    const texts = ["", "NULL", "null", 'a"b\\c,{}', "'", "\n\t", "\u{1f986}\u{e9}", null];
    const rows = await client.query(
      "select value, value is null as none from unnest($1::text[]) with ordinality as t (value, n) order by n",
      [texts],
    );
    assertEquals(rows, texts.map((value) => ({ value, none: value === null })));
    assertEquals(
      await client.query("create temporary table t (x int); insert into t values (7)"),
      [],
    );
    assertEquals(await client.query("select 1 as a; select 2 as b"), [{ b: 2 }]);
    const [{ name }] = await client.query("show application_name") as [{ name?: string }];
    assertEquals(name, undefined);
    await client.query("create schema pets; create table pets.t (x int)");
    const failed = client.transaction(async (outer) => {
      await outer.query("insert into pets.t values (1)");
      const inner = outer.transaction(async (inner) => {
        await inner.query("insert into pets.t values (2)");
        throw new Error("inner");
      });
      await assertRejects(() => inner, Error, "inner");
      assertEquals(await outer.query("select x from pets.t"), [{ x: 1 }]);
      throw new Error("outer");
    });
    await assertRejects(() => failed, Error, "outer");
    assertEquals(await client.query("select x from pets.t"), []);
  },
);

realServer(
  "a connection that breaks in the middle of a batch is made again",
  async ({ url, client }) => {
    const connection = await connectPostgres(url);
    await using index = await PostgresIndex.create(connection, MODEL, { owned: connection });
    const writer = await index.write();
    const all = await images(40);
    let breaks = 0;
    await writer.put("photos", all, {
      async also(inner) {
        if (breaks++ > 0) return;
        const [row] = await inner.query("select pg_backend_pid() as pid");
        await client.query("select pg_terminate_backend($1::int)", [row!.pid]);
        await inner.query("select 1");
      },
    });
    assertEquals(breaks, 2);
    assertEquals(await index.counts(), { images: 40, vectors: 40 });
    // All of them, between two calls.
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
    );
    const [found] = await index.search([all[3]!.vector!], { k: 1 });
    assertEquals(found![0]!.path, all[3]!.path);
  },
);

realServer("connections that break while they open end nothing", async ({ url, client }) => {
  await using pool = await connectPostgres(url);
  for (let i = 0; i < 100; i++) {
    const answer = pool.query("select $1::text[] as texts", [["a"]]).catch(({ code }) => code);
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
    );
    const code = await answer;
    assert(Array.isArray(code) || isConnectionBroken({ code }), code);
  }
  const select = () => pool.query("select $1::int as n", [1]);
  assertEquals(await retried(select), [{ n: 1 }]);
});

realServer("many that write the same images at once wait for each other", async ({ url }) => {
  const all = await images(300);
  await using first = await connectPostgres(url);
  await using second = await connectPostgres(url);
  await PostgresIndex.create(first, MODEL);
  await Promise.all([first, second, first, second].map(async (client, i) => {
    const index = await PostgresIndex.create(client, MODEL);
    const writer = await index.write();
    const mine = i % 2 === 0 ? all : all.toReversed();
    for (let round = 0; round < 3; round++) {
      await writer.list("photos", mine);
      for (let from = 0; from < mine.length; from += 50) {
        await writer.put("photos", mine.slice(from, from + 50));
      }
      await writer.complete("photos");
      await writer.finish();
    }
  }));
  const index = await PostgresIndex.open(first);
  assertEquals(await index.counts(), { images: 300, vectors: 300 });
});

realServer(
  "one that has nothing yet is made once, by several at the same moment",
  async ({ url }) => {
    await using client = await connectPostgres(url, { connections: 8 });
    const indexes = await Promise.all(
      Array.from({ length: 6 }, () => PostgresIndex.create(client, MODEL)),
    );
    assertEquals(indexes.map(({ model }) => model), Array(6).fill(MODEL));
  },
);

realServer(
  "a role's missing rights, and a database that is read-only, are told of",
  async ({ url, client }) => {
    await PostgresIndex.create(client, MODEL);
    await using reading = await connectPostgres(`${url}?default_transaction_read_only=on`);
    const index = await PostgresIndex.open(reading);
    assertEquals(await index.search([new Float32Array(20)], { k: 1 }), [[]]);
    await assertRejects(
      () => PostgresIndex.create(reading, MODEL, { schema: "another" }),
      Error,
      "the database is read-only",
    );
    await assertRejects(async () => await index.write(), Error, "the database is read-only");
    const role = `guest_${crypto.randomUUID().replaceAll("-", "")}`;
    await client.query(`create role ${role} login`);
    try {
      const address = new URL(url);
      address.username = role;
      await using guest = await connectPostgres(address.href);
      await assertRejects(
        () => PostgresIndex.create(guest, MODEL, { schema: "another" }),
        Error,
        "permission denied for database",
      );
      await assertRejects(
        () => PostgresIndex.open(guest),
        Error,
        "permission denied for schema vit_msn; ask its owner to grant that",
      );
    } finally {
      await client.query(`drop role ${role}`);
    }
  },
);

realServer(
  "a database without the extension is told of, with who can add it",
  async ({ client }) => {
    await client.query("drop extension vector");
    await assertRejects(
      () => PostgresIndex.create(client, MODEL),
      Error,
      "its owner or a superuser can run `create extension vector` there (pgvector 0.8",
    );
    assertEquals(await client.query("select 1 from pg_namespace where nspname = 'vit_msn'"), []);
  },
);

/** A client of another server: what it says of itself is changed. */
function pretending(row: SqlRow): SqlClient {
  const known = {
    version: "17.0",
    major: 17,
    encoding: "UTF8",
    database: "photos",
    vector: "0.8.0",
    vector_schema: "public",
    available: "0.8.0",
  };
  return {
    query: () => Promise.resolve([{ ...known, ...row }]),
    transaction: () => Promise.reject(new Error("no")),
  };
}

Deno.test("what a server lacks is named", async () => {
  for (
    const [row, words] of [
      [{ major: 12, version: "12.9" }, "the server is PostgreSQL 12.9; an index needs 13 or later"],
      [{ encoding: "SQL_ASCII" }, "the database photos has the encoding SQL_ASCII"],
      [{ vector: null, available: null }, "the server lacks pgvector, 0.8 or later"],
      [{ vector: "0.7.4" }, "version 0.7.4; an index needs 0.8 or later"],
    ] as const
  ) {
    await assertRejects(() => checkServer(pretending(row), "a"), Error, words);
  }
  for (const vector of ["0.8.0", "0.10.1", "1.0.0"]) {
    assertEquals((await checkServer(pretending({ vector }), "a")).name, "a");
  }
});

eachServer(
  "a full disk is told of, and the index goes on when there is room",
  async ({ client }) => {
    const isFull = { yes: false };
    const failing = (inner: SqlClient): SqlClient => ({
      query(sql, values) {
        if (isFull.yes && sql.includes("insert into")) {
          const error = new Error('could not extend file "base/1/2": No space left on device');
          return Promise.reject(Object.assign(error, { code: "53100" }));
        }
        return inner.query(sql, values);
      },
      transaction: (run) => inner.transaction((inner) => run(failing(inner))),
    });
    const [a, b] = await images(2);
    const index = await PostgresIndex.create(failing(client), MODEL, { name: "postgres://db/x" });
    const writer = await index.write();
    await writer.put("photos", [a!]);
    isFull.yes = true;
    const { message } = await assertRejects(() => writer.put("photos", [b!]), Error);
    assertStringIncludes(
      message,
      "Cannot write to the index postgres://db/x: the server's disk is full",
    );
    assertStringIncludes(
      message,
      "what was written is kept, so run the same command again when there is room",
    );
    isFull.yes = false;
    assertEquals(await index.counts(), { images: 1, vectors: 1 });
    await writer.put("photos", [b!]);
    assertEquals(await index.counts(), { images: 2, vectors: 2 });
  },
);

Deno.test("what may succeed later is tried again, and nothing else", async () => {
  const failing = (code: string, times: number) => {
    let calls = 0;
    return () => {
      if (calls++ < times) return Promise.reject(Object.assign(new Error(code), { code }));
      return Promise.resolve(calls);
    };
  };
  for (const code of ["40P01", "40001", "57P01", "CONNECTION_CLOSED", "ECONNREFUSED", "08006"]) {
    assertEquals(await retried(failing(code, 2), [1, 1]), 3);
    await assertRejects(() => retried(failing(code, 3), [1, 1]), Error, code);
  }
  for (const code of ["53100", "42501", "22021", "23505"]) {
    await assertRejects(() => retried(failing(code, 1), [1, 1]), Error, code);
  }
});

realServer(
  "several that finish at once build one graph; a build that takes too long says so",
  async ({ url, client }) => {
    await using pool = await connectPostgres(url);
    const index = await PostgresIndex.create(pool, MODEL);
    const writer = await index.write();
    await writer.put("photos", await images(2000));
    const { schema } = index;
    await using one = await connectPostgres(url, { connections: 1 });
    const hurried: SqlClient = {
      async query(sql, values) {
        if (sql.startsWith("create index")) await one.query("set statement_timeout = 1");
        return await one.query(sql, values);
      },
      transaction: (run) => one.transaction(run),
    };
    const error = await assertRejects(() => buildVectorIndex(hurried, schema, 20, 100), Error);
    assertStringIncludes(
      postgresError("write to the index x", error).message,
      "give it more time with ?statement_timeout=0 in the address",
    );
    assertEquals(await hasVectorIndex(client, schema), false); // but what is left of it
    await Promise.all([0, 1, 2].map(() => buildVectorIndex(pool, schema, 20, 100)));
    assertEquals(await hasVectorIndex(client, schema), true);
  },
);
