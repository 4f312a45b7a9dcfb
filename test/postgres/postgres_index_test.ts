import { assert, assertEquals } from "@std/assert";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import type { IndexedModel, ReadImage } from "../../src/search/vector_index.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { clustered } from "../search/clustered.ts";
import { eachServer } from "./servers.ts";

const DIMENSION = 20;
const MODEL: IndexedModel = {
  sha256: "ab".repeat(32),
  name: "mine.onnx",
  pool: "cls",
  decode: "standard",
  dtype: "f32",
  dimension: DIMENSION,
};

/** Images of a folder, every second one a dog. */
async function images(count: number, from = 0): Promise<ReadImage[]> {
  const vectors = clustered(from + count, DIMENSION);
  return await Promise.all(
    vectors.slice(from).map(async (vector, i) => ({
      path: `photos/${from + i}.jpg`,
      label: (from + i) % 2 === 0 ? "dog" : "cat",
      size: 10,
      modified: 1,
      sha256: await sha256(Uint8Array.of(from + i, from + i >> 8)),
      vector,
    })),
  );
}

/** Lists images as all that a source has, and puts those that have changed. */
async function update(client: SqlClient, listed: readonly ReadImage[], source = "photos") {
  await using index = await PostgresIndex.create(client, MODEL);
  await using writer = await index.write();
  const changed = await writer.list(source, listed);
  await writer.put(source, listed.filter((_, i) => changed[i]));
  const { images } = await writer.complete(source);
  await writer.finish();
  return { put: changed.filter(Boolean).length, forgotten: images };
}

async function pathsOf(client: SqlClient): Promise<string[]> {
  const index = await PostgresIndex.open(client);
  return (await Array.fromAsync(index.images())).map(({ path }) => path);
}

eachServer("an index finds the same neighbours as a plain loop, at every k", async ({ client }) => {
  const all = await images(300);
  await update(client, all);
  const index = await PostgresIndex.open(client, { model: MODEL });
  assertEquals(await index.counts(), { images: 300, vectors: 300 });
  for (const k of [1, 10, 300, 1000]) {
    const queries = clustered(5, DIMENSION, 9);
    const found = await index.search(queries.map((query) => query.map((x) => 5 * x)), { k });
    for (const [q, neighbours] of found.entries()) {
      assertEquals(neighbours.length, Math.min(k, 300));
      const scores = new Map(all.map(({ path, vector }) => [
        path,
        vector!.reduce((sum, x, i) => sum + x * queries[q]![i]!, 0),
      ]));
      const best = [...scores.values()].sort((a, b) => b - a);
      neighbours.forEach(({ path, similarity }, i) => {
        assert(Math.abs(similarity - scores.get(path)!) < 2e-3); // float16
        assert(Math.abs(similarity - best[i]!) < 2e-3);
      });
    }
  }
});

eachServer(
  "an update keeps, adds, replaces and forgets, and leaves other sources alone",
  async ({ client }) => {
    const [a, b, c, d] = await images(4) as [ReadImage, ReadImage, ReadImage, ReadImage];
    assertEquals(await update(client, [a, b]), { put: 2, forgotten: 0 });
    assertEquals(await update(client, [d], "others"), { put: 1, forgotten: 0 });
    assertEquals(await update(client, [a, b]), { put: 0, forgotten: 0 });
    const changed = { ...b, sha256: c.sha256, vector: c.vector, size: 11 };
    assertEquals(await update(client, [changed, c]), { put: 2, forgotten: 1 });
    assertEquals(await pathsOf(client), [b.path, c.path, d.path]);
    const index = await PostgresIndex.open(client);
    // b and c have the same bytes now.
    assertEquals(await index.counts(), { images: 3, vectors: 2 });
    const [found] = await index.search([c.vector!], { k: 2 });
    assertEquals(found!.map(({ path }) => path), [b.path, c.path]);
  },
);
