import { assert, assertEquals, assertRejects } from "@std/assert";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import { buildVectorIndex, hasVectorIndex } from "../../src/search/postgres/build_vector_index.ts";
import { graphSettings } from "../../src/search/postgres/nearest_images.ts";
import { globToRegex } from "../../src/search/postgres/glob_to_regex.ts";
import { MIGRATIONS } from "../../src/search/postgres/migrations.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import { schemaSql } from "../../src/search/postgres/schema_sql.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import type { ImageFilter, Neighbour, ReadImage } from "../../src/search/vector_index.ts";
import { TempFolder } from "../cli/run.ts";
import { uniform } from "../random.ts";
import { clustered } from "../search/clustered.ts";
import {
  DIMENSION,
  images,
  INDEX_CASES,
  type IndexPlace,
  MODEL,
  pathsOf,
  update,
} from "../search/index_cases.ts";
import { eachServer, realServer } from "./servers.ts";

function placeOf(client: SqlClient): IndexPlace {
  return {
    create: (model) => PostgresIndex.create(client, model),
    open: (model) => PostgresIndex.open(client, { model }),
  };
}

for (const [name, test] of Object.entries(INDEX_CASES)) {
  eachServer(name, async ({ client }) => await test(placeOf(client)));
}

/** Sources whose images share bytes, vectors and paths. */
async function sources(count: number): Promise<Record<string, ReadImage[]>> {
  const all = await images(count);
  const random = uniform(3);
  const any = () => all[Math.floor(random() * count)]!;
  return {
    photos: all,
    // The same bytes under other names, which sort elsewhere.
    copies: all.slice(0, 30).map(({ label: _, ...image }, i) => ({
      ...image,
      path: `A${i} \u{e9}.jpg`,
    })),
    // The same paths with other bytes.
    clash: all.slice(0, 20).map((image) => ({ ...any(), path: image.path, label: "clash" })),
    // Other bytes with the same vector.
    same: all.slice(0, 10).map((image, i) => ({
      ...image,
      path: `photos/same ${i}.jpg`,
      sha256: i.toString(16).padStart(64, "f"),
      range: { file: "a.tar", offset: 2 ** 40 + i, size: 10 },
    })),
  };
}

/** The same neighbours, but that the order of equal ones is open. */
function assertSame(found: readonly Neighbour[], expected: readonly Neighbour[]): void {
  assertEquals(found.length, expected.length);
  const byPath = new Map(expected.map((neighbour) => [neighbour.path, neighbour]));
  const last = expected.at(-1)?.similarity ?? 0;
  found.forEach(({ similarity, ...image }, i) => {
    assert(Math.abs(similarity - expected[i]!.similarity) < 1e-5, `rank ${i}`);
    const twin = byPath.get(image.path);
    if (!twin) return assert(similarity < last + 1e-5, image.path);
    assert(Math.abs(similarity - twin.similarity) < 1e-5, image.path);
    assertEquals({ ...image, similarity: twin.similarity }, twin);
  });
}

const FILTERS: ImageFilter[] = [
  {},
  { label: "dog" },
  { label: ["cat", "clash"], path: "photos/*" },
  { path: ["*\u{e9}.jpg", "*[0-3]?.jpg"] },
  { path: "photos/[^0-8]*" },
];

eachServer(
  "its answers are those of an embedded index, also through the graph",
  async ({ client }) => {
    using folder = new TempFolder();
    const path = `${folder.path}/a.sqlite`;
    const embedded: IndexPlace = {
      create: (model) => EmbeddedIndex.create(path, model),
      open: (model) => EmbeddedIndex.open(path, { model }),
    };
    const places = [embedded, placeOf(client)];
    for (const [source, listed] of Object.entries(await sources(400))) {
      const [first, second] = [
        await update(places[0]!, listed, source),
        await update(places[1]!, listed, source),
      ];
      assertEquals(second, first);
    }
    await using one = await embedded.open();
    const index = await PostgresIndex.open(client);
    assertEquals(await index.counts(), await one.counts());
    assertEquals(await index.sources(), await one.sources());
    const all = await Array.fromAsync(one.images());
    assertEquals(await Array.fromAsync(index.images()), all);
    const paths = [...all.map(({ path }) => path), "none", "nu\0l"];
    assertEquals(await index.vectors(paths), await one.vectors(paths));
    const queries = clustered(4, DIMENSION, 11);
    for (const isGraph of [false, true]) {
      if (isGraph) await buildVectorIndex(client, index.schema, DIMENSION, 100);
      assertEquals(await hasVectorIndex(client, index.schema), isGraph);
      for (const where of FILTERS) {
        for (const k of [1, 10, 100, 2000]) {
          const found = await index.search(queries, { k, where });
          const expected = await one.search(queries, { k, where });
          found.forEach((neighbours, q) => assertSame(neighbours, expected[q]!));
        }
      }
    }
    for (const threshold of [0.9, 0.999]) {
      const [found, expected] = [await pairsOf(index, threshold), await pairsOf(one, threshold)];
      assert(expected.length >= 10);
      assertEquals(found, expected);
    }
  },
);

/** Pairs of paths of different contents, in alphabetical order. */
async function pairsOf(index: Pick<PostgresIndex, "pairs">, threshold: number): Promise<string[]> {
  const found: [number, number][] = [];
  const progress: number[] = [];
  const contents = await index.pairs(threshold, {
    onPair: (a, b) => found.push([a, b]),
    onProgress: (done, all) => progress.push(done / all),
  });
  assertEquals(progress.at(-1), 1);
  const text = (n: number) => contents[n]!.map(({ path }) => path).join(" = ");
  return found.map((pair) => pair.map(text).sort().join(" ~ ")).sort();
}

eachServer(
  "what comes in several pages is whole, also if the last one is full",
  async ({ client }) => {
    const place = placeOf(client);
    const [first] = await images(1);
    const all = Array.from({ length: 4000 }, (_, i) => ({
      ...first!,
      path: `photos/${i}.jpg`,
      sha256: i.toString(16).padStart(64, "0"),
      vector: Float32Array.from(
        { length: DIMENSION },
        (_, d) => d === i % DIMENSION ? 1 : i / 4000,
      ),
    }));
    await update(place, all);
    await using index = await place.open();
    const found = await Array.fromAsync(index.images());
    assertEquals(
      found.map(({ path }) => path),
      all.map(({ path }) => path).sort(),
    );
    const vectors = await index.vectors(all.map(({ path }) => path));
    assertEquals(vectors.filter((vector) => vector !== undefined).length, 4000);
    const contents = await index.pairs(2, {
      onPair: () => assert(false, "no pair is that similar"),
    });
    assertEquals(
      contents.map((images) => images.map(({ path }) => path)),
      all.map(({ path }) => [path]),
    );
    assertEquals(await update(place, all), { put: 0, forgotten: 0 });
  },
);

eachServer("the graph finds k where k match, although it gives up before", async ({ client }) => {
  const place = placeOf(client);
  const all = await images(600);
  // The only birds are far from the query; and a vector of length 0 is in no graph.
  all.forEach((image, i) => all[i] = { ...image, label: i % 200 === 7 ? "bird" : "dog" });
  all[7] = { ...all[7]!, vector: new Float32Array(DIMENSION) };
  await update(place, all);
  const index = await PostgresIndex.open(client);
  await buildVectorIndex(client, index.schema, DIMENSION, 100);
  const limited: SqlClient = {
    query: (sql, values) => client.query(sql, values),
    transaction: (run) =>
      client.transaction(async (inner) => {
        const result = await run({
          ...inner,
          async query(sql, values) {
            const rows = await inner.query(sql, values);
            if (sql.includes("hnsw.ef_search")) {
              await inner.query(
                "set local hnsw.ef_search = 1; set local hnsw.max_scan_tuples = 1; set local enable_sort = off",
              );
            }
            return rows;
          },
        });
        return result;
      }),
  };
  const impatient = await PostgresIndex.open(limited);
  const [found] = await impatient.search(clustered(1, DIMENSION, 5), {
    k: 3,
    where: { label: "bird" },
  });
  assertEquals(found!.map(({ path }) => path).sort(), [207, 407, 7].map((n) => `photos/${n}.jpg`));
  const [every] = await index.search(clustered(1, DIMENSION, 5), { k: 600 });
  assertEquals(every!.length, 600);
});

eachServer("a build that was killed is dropped and done again", async ({ client }) => {
  await update(placeOf(client), await images(120));
  const { schema } = await PostgresIndex.open(client);
  await buildVectorIndex(client, schema, DIMENSION);
  assertEquals(await hasVectorIndex(client, schema), false); // too few vectors
  await buildVectorIndex(client, schema, DIMENSION, 100);
  await client.query(
    "update pg_index set indisvalid = false where indexrelid = to_regclass($1)",
    [schema.table("embedding_hnsw")],
  );
  assertEquals(await hasVectorIndex(client, schema), false);
  await buildVectorIndex(client, schema, DIMENSION, 100);
  assertEquals(await hasVectorIndex(client, schema), true);
  await buildVectorIndex(client, schema, DIMENSION, 100); // leaves it
});

eachServer(
  "an image that failed has no vector, is read again, and is no image of the index",
  async ({ client }) => {
    const place = placeOf(client);
    const [a, b, c] = await images(3) as [ReadImage, ReadImage, ReadImage];
    await update(place, [a, b]);
    await using index = await PostgresIndex.create(client, MODEL);
    await using writer = await index.write();
    assertEquals(await writer.list("photos", [a, b, c]), [false, false, true]);
    const failed = [{ ...b, error: "no image\0" }, { ...c, error: "no such file" }];
    await writer.put("photos", [], { failed });
    assertEquals(await writer.list("photos", [a, b, c]), [false, true, true]);
    await writer.finish();
    assertEquals(await index.counts(), { images: 1, vectors: 1 });
    assertEquals(await pathsOf(place), [a.path]);
    assertEquals(await index.vectors([b.path]), [undefined]);
    const rows = await client.query(
      "select path, error from vit_msn.image where error is not null order by path",
    );
    assertEquals(rows, [
      { path: b.path, error: "no image\u{fffd}" },
      { path: c.path, error: "no such file" },
    ]);
    await writer.put("photos", [b]);
    assertEquals(await index.counts(), { images: 2, vectors: 2 });
    assertEquals(await writer.complete("photos"), { images: 0 });
    await using next = await index.write();
    await next.list("photos", [a]);
    assertEquals(await next.complete("photos"), { images: 1 }); // c was none
    const [{ count }] = await client.query("select count(*)::int as count from vit_msn.image") as [
      { count: number },
    ];
    assertEquals(count, 1);
  },
);

eachServer(
  "two runs at a time forget nothing of each other; what was kept stays",
  async ({ client }) => {
    const place = placeOf(client);
    const all = await images(8);
    await update(place, all.slice(0, 4));
    await using index = await PostgresIndex.create(client, MODEL);
    const [first, second] = [await index.write(), await index.write()];
    assertEquals(await first.list("photos", all), [
      ...Array(4).fill(false),
      ...Array(4).fill(true),
    ]);
    assertEquals(await second.list("photos", all), [
      ...Array(4).fill(false),
      ...Array(4).fill(true),
    ]);
    await second.put("photos", all.slice(6));
    await first.put("photos", all.slice(4));
    assertEquals(await first.complete("photos"), { images: 0 });
    await second.put("photos", all.slice(4, 6));
    assertEquals(await second.complete("photos"), { images: 0 });
    await Promise.all([first.finish(), second.finish()]);
    assertEquals(await index.counts(), { images: 8, vectors: 8 });
    // A worker writes what another one listed.
    const worker = await index.write();
    const lister = await index.write();
    const changed = { ...all[0]!, size: 11 };
    assertEquals(await lister.list("photos", [changed, all[1]!]), [true, false]);
    await lister.keep("photos", [changed.path]);
    assertEquals(await lister.complete("photos"), { images: 6 });
    assertEquals([await worker.has(changed.sha256), await worker.has("00")], [true, false]);
    await worker.put("photos", [{ ...changed, vector: undefined }]);
    assertEquals(await pathsOf(place), [changed.path, all[1]!.path]);
  },
);

eachServer("a batch and what goes with it are written together, or neither", async ({ client }) => {
  const [a] = await images(1) as [ReadImage];
  await using index = await PostgresIndex.create(client, MODEL);
  const writer = await index.write();
  await client.query("create table vit_msn.job (done int)");
  const also = async (client: SqlClient) => {
    await client.query("insert into vit_msn.job values (1)");
  };
  await assertRejects(
    () =>
      writer.put("photos", [a], {
        also: async (client) => {
          await also(client);
          throw new Error("on purpose");
        },
      }),
    Error,
    "on purpose",
  );
  assertEquals(await index.counts(), { images: 0, vectors: 0 });
  await writer.put("photos", [a], { also });
  assertEquals(await client.query("select done from vit_msn.job"), [{ done: 1 }]);
});

eachServer("an image twice in a batch or a list counts once, the last one", async ({ client }) => {
  const [a, b] = await images(2) as [ReadImage, ReadImage];
  await using index = await PostgresIndex.create(client, MODEL);
  const writer = await index.write();
  await writer.put("photos", [a, b, { ...b, path: a.path, label: "last" }]);
  const found = await Array.fromAsync(index.images());
  assertEquals(found.map(({ label, sha256 }) => [label, sha256]), [
    ["last", b.sha256],
    [b.label, b.sha256],
  ]);
  await writer.finish(); // a's bytes are gone
  const listed = [{ ...b, label: "x" }, { ...b, label: "y" }];
  assertEquals(await writer.list("photos", listed), [false, false]);
  assertEquals((await Array.fromAsync(index.images()))[1]!.label, "y");
});

eachServer("a NUL in a name is refused by name; other texts are kept", async ({ client }) => {
  const [a, b] = await images(2) as [ReadImage, ReadImage];
  await using index = await PostgresIndex.create(client, MODEL);
  const writer = await index.write();
  for (const odd of [{ ...a, path: "a\0b" }, { ...a, label: "\0" }]) {
    for (
      const call of [() => writer.list("photos", [b, odd]), () => writer.put("photos", [b, odd])]
    ) {
      await assertRejects(
        call,
        RangeError,
        "has a NUL character, which Postgres cannot store; rename it",
      );
    }
  }
  await assertRejects(() => writer.list("a\0", [a]), RangeError, "NUL");
  await writer.put("photos", [a]);
  for (const where of [{ label: "dog\0" }, { path: "*\0*" }]) {
    assertEquals(await index.search([a.vector!], { k: 1, where }), [[]]);
  }
  await writer.complete("photos");
  await (await index.write()).complete("photos");
  await writer.finish();
  assertEquals(await index.counts(), { images: 0, vectors: 0 });
});

eachServer(
  "an index of a newer version, and one without a model, are refused",
  async ({ client }) => {
    await assertRejects(
      () => PostgresIndex.open(client, { name: "postgres://db/x" }),
      Error,
      "Cannot open the index postgres://db/x: the database has none in the schema vit_msn; make it with " +
        "`deno task index SOURCE --db postgres://db/x`",
    );
    await update(placeOf(client), await images(2));
    await client.query("insert into vit_msn.migration (version, name) values (999, 'later')");
    for (
      const open of [() => PostgresIndex.open(client), () => PostgresIndex.create(client, MODEL)]
    ) {
      await assertRejects(open, Error, "a newer version of this program made it (version 999");
    }
    for (const schema of ["Big", "1a", "a-b", "pg_a", "", "a".repeat(51), 'a"; drop schema b']) {
      await assertRejects(
        () => PostgresIndex.open(client, { schema }),
        RangeError,
        "Cannot use the schema",
      );
    }
  },
);

eachServer("an index is brought up to date from its first version", async ({ client }) => {
  await client.query(
    `create schema vit_msn; set search_path = vit_msn, public; ${MIGRATIONS[0]!.sql}
    create table migration (version int primary key, name text not null, applied timestamptz default now());
    insert into migration (version, name) values (1, 'index_tables'); reset search_path`,
  );
  await update(placeOf(client), await images(2));
  const rows = await client.query("select version from vit_msn.migration order by version");
  assertEquals(rows.map(({ version }) => version), MIGRATIONS.map((_, i) => i + 1));
});

eachServer("the SQL that is printed makes an index that others fill", async ({ client }) => {
  const sql = schemaSql("printed", DIMENSION);
  await client.query(sql);
  await client.query("reset search_path");
  const index = await PostgresIndex.create(client, MODEL, { schema: "printed" });
  const writer = await index.write();
  await writer.put("photos", await images(3));
  // In a script, not concurrently.
  const statement = /^-- (create index .*)$/m.exec(sql)![1]!.replace("concurrently ", "");
  await client.query(statement);
  assertEquals(await hasVectorIndex(client, index.schema), true);
});

eachServer(
  "a search is broader for more images, in larger indexes, and as the connection says",
  async ({ client }) => {
    const index = await PostgresIndex.create(client, MODEL);
    const breadth = (k: number, vectors: number, own?: number) =>
      client.transaction(async (inner) => {
        await inner.query(
          `update pg_class set reltuples = ${vectors} where oid = '${
            index.schema.table("embedding")
          }'::regclass`,
        );
        if (own !== undefined) await inner.query(`set local hnsw.ef_search = ${own}`);
        await inner.query(graphSettings(k, index.schema));
        const [row] = await inner.query("select current_setting('hnsw.ef_search') as ef");
        return Number(row!.ef);
      });
    assertEquals(await breadth(10, -1), 100); // not counted yet
    assertEquals(await breadth(10, 50_000), 100); // again, as the setting was forgotten
    assertEquals(await breadth(10, 1e6), 200);
    assertEquals(await breadth(300, 1e6), 600);
    assertEquals(await breadth(10, 1e9), 1000);
    assertEquals(await breadth(5000, 0), 1000);
    assertEquals(await breadth(10, 1e5, 500), 500);
  },
);

eachServer("patterns of paths mean the same in Postgres as in SQLite", async ({ client }) => {
  const { DatabaseSync } = await import("node:sqlite");
  using sqlite = new DatabaseSync(":memory:");
  const glob = sqlite.prepare("select ? glob ? as yes");
  const random = uniform(17);
  const from = (letters: string, most: number) =>
    Array.from(
      { length: Math.floor(random() * most) },
      () => [...letters][Math.floor(random() * [...letters].length)]!,
    ).join("");
  const pairs = Array.from({ length: 20_000 }, () => [
    from("aab-^]\\.\n\u{1f986}\u{e9}[", 6),
    from("aab-^]]\\[[**??.c\n\u{1f986}\u{e9}!(|{$:=", 9),
  ]);
  const rows = await client.query(
    "select path ~ pattern as yes from unnest($1::text[], $2::text[]) with ordinality as t (path, pattern, n) " +
      "order by n",
    [pairs.map(([path]) => path), pairs.map(([, pattern]) => globToRegex(pattern!))],
  );
  let matches = 0;
  pairs.forEach(([path, pattern], i) => {
    const yes = glob.get(path!, pattern!)!.yes === 1;
    if (yes) matches++;
    assertEquals(rows[i]!.yes, yes, JSON.stringify([path, pattern]));
  });
  assert(matches > 500, `${matches} match`);
});

realServer("pgvector may be in a schema that is not on the search path", async ({ client }) => {
  await client.query("create schema extensions; alter extension vector set schema extensions");
  await update(placeOf(client), await images(120));
  const index = await PostgresIndex.open(client);
  await buildVectorIndex(client, index.schema, DIMENSION, 100);
  const [found] = await index.search(clustered(1, DIMENSION), { k: 200 });
  assertEquals(found!.length, 120);
  assertEquals((await Array.fromAsync(index.images())).length, 120);
});
