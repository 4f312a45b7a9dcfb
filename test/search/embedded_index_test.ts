import { DatabaseSync } from "node:sqlite";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import type { IndexedModel, ReadImage } from "../../src/search/vector_index.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { TempFolder } from "../cli/run.ts";
import { clustered } from "./clustered.ts";

const DIMENSION = 20;
const MODEL: IndexedModel = {
  sha256: "ab".repeat(32),
  name: "mine.onnx",
  pool: "cls",
  decode: "standard",
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
async function update(path: string, listed: readonly ReadImage[], source = "photos") {
  await using index = await EmbeddedIndex.create(path, MODEL);
  await using writer = await index.write();
  const changed = await writer.list(source, listed);
  await writer.put(source, listed.filter((_, i) => changed[i]));
  const { images } = await writer.complete(source);
  await writer.finish();
  return { put: changed.filter(Boolean).length, forgotten: images };
}

async function pathsOf(path: string): Promise<string[]> {
  await using index = await EmbeddedIndex.open(path);
  return (await Array.fromAsync(index.images())).map(({ path }) => path);
}

Deno.test("an index finds the same neighbours as a plain loop, at every k", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const all = await images(300);
  await update(path, all);
  await using index = await EmbeddedIndex.open(path, { model: MODEL });
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

Deno.test("filters never find fewer than k if k match", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  await update(path, await images(500));
  await using index = await EmbeddedIndex.open(path);
  const [query] = clustered(1, DIMENSION, 9);
  const [all] = await index.search([query!], { k: 500 });
  for (
    const [where, matches] of [
      [{ label: "cat" }, ({ label }: { label?: string }) => label === "cat"],
      [{ path: "photos/?.jpg" }, ({ path }: { path: string }) => /\/\d\.jpg$/.test(path)],
      [
        { label: "dog", path: "*1[0-4].jpg" },
        ({ label, path }: { label?: string; path: string }) =>
          label === "dog" && /1[0-4]\.jpg$/.test(path),
      ],
      [
        { label: ["bird", "cat"], path: ["photos/?.jpg", "*[3-5]7.jpg"] },
        ({ label, path }: { label?: string; path: string }) =>
          label === "cat" && /\/(\d|\d*[3-5]7)\.jpg$/.test(path),
      ],
      [{ label: ["cat", "dog"], path: ["nowhere", "*"] }, () => true],
    ] as const
  ) {
    for (const k of [1, 5, 400]) {
      const [found] = await index.search([query!], { k, where });
      const expected = all!.filter((image) => matches(image as never)).slice(0, k);
      assert(expected.length > 0);
      assertEquals(found, expected);
    }
  }
  for (const label of ["' or 1 --", ["') or 1 --"], []]) {
    assertEquals(await index.search([query!], { k: 3, where: { label } }), [[]]);
  }
  assertEquals(await index.search([query!], { k: 3, where: { label: "cat", path: [] } }), [[]]);
});

Deno.test("the vectors of paths are those that were put, of length 1; unknown paths have none", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const [a, b, c] = await images(3) as [ReadImage, ReadImage, ReadImage];
  await update(path, [{ ...a, vector: a.vector!.map((x) => 3 * x) }, b]);
  await update(path, [{ ...c, path: a.path }], "another source of the same path");
  await using index = await EmbeddedIndex.open(path);
  const [first, none, second, again] = await index.vectors([b.path, c.path, a.path, b.path]);
  assertEquals([none, again], [undefined, first]);
  for (const [vector, { vector: put }] of [[first, b], [second, a]] as const) {
    assertEquals(vector!.length, DIMENSION);
    vector!.forEach((x, i) => assert(Math.abs(x - put![i]!) < 1e-3)); // float16
  }
  assertEquals(await index.vectors([]), []);
});

Deno.test("an update keeps, adds, replaces and forgets, and leaves other sources alone", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const [a, b, c, d] = await images(4) as [ReadImage, ReadImage, ReadImage, ReadImage];
  assertEquals(await update(path, [a, b]), { put: 2, forgotten: 0 });
  assertEquals(await update(path, [d], "others"), { put: 1, forgotten: 0 });
  assertEquals(await update(path, [a, b]), { put: 0, forgotten: 0 });
  const changed = { ...b, sha256: c.sha256, vector: c.vector, size: 11 };
  assertEquals(await update(path, [changed, c]), { put: 2, forgotten: 1 });
  assertEquals(await pathsOf(path), [b.path, c.path, d.path]);
  await using index = await EmbeddedIndex.open(path);
  // b and c have the same bytes now.
  assertEquals(await index.counts(), { images: 3, vectors: 2 });
  const [found] = await index.search([c.vector!], { k: 2 });
  assertEquals(found!.map(({ path }) => path), [b.path, c.path]);
});

Deno.test("an image whose time does not tell must be read again; its label is kept up to date", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const [a, b] = await images(2) as [ReadImage, ReadImage];
  await update(path, [{ ...a, modified: undefined }, b]);
  assertEquals(
    (await update(path, [{ ...a, modified: undefined }, { ...b, label: "new" }])).put,
    1,
  );
  await using index = await EmbeddedIndex.open(path);
  const labels = (await Array.fromAsync(index.images())).map(({ label }) => label);
  assertEquals(labels, ["dog", "new"]);
});

Deno.test("what is forgotten is never found, and its room is given back", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const all = await images(100);
  await update(path, all);
  for (const count of [90, 30]) {
    await update(path, all.slice(0, count));
    await using index = await EmbeddedIndex.open(path);
    const [found] = await index.search([all[95]!.vector!], { k: 100 });
    assertEquals(found!.length, count);
    for (const { path } of found!) assert(Number(/\d+/.exec(path)![0]) < count);
  }
  const files = [...Deno.readDirSync(folder.path)].map(({ name }) => name)
    .filter((name) => name.endsWith(".f16"));
  assertEquals(files, ["a.sqlite.2.f16"]);
  assertEquals(Deno.statSync(`${folder.path}/a.sqlite.2.f16`).size, 30 * 48);
  assertEquals((await update(path, all)).put, 70);
  assertEquals((await pathsOf(path)).length, 100);
});

for (
  const [what, damage] of [
    ["missing", (file: string) => Deno.removeSync(file)],
    ["cut off", (file: string) => Deno.truncateSync(file, 100)],
    ["changed", (file: string) => {
      const bytes = Deno.readFileSync(file);
      bytes[1001]! ^= 4;
      Deno.writeFileSync(file, bytes);
    }],
  ] as const
) {
  Deno.test(`a flat file that is ${what} is told, does not matter to a search, and is written anew`, async () => {
    using folder = new TempFolder();
    const path = `${folder.path}/a.sqlite`;
    const all = await images(80);
    await update(path, all);
    await update(path, all.slice(0, 70)); // with dead slots
    const query = clustered(1, DIMENSION, 4);
    const search = async () => {
      const told: string[] = [];
      await using index = await EmbeddedIndex.open(path, { onDamage: (text) => told.push(text) });
      return { told, found: await index.search(query, { k: 80 }) };
    };
    const before = await search();
    assertEquals(before.told, []);
    damage(`${path}.1.f16`);
    const damaged = await search();
    assertStringIncludes(damaged.told.join(), "missing or damaged");
    assertEquals(damaged.found, before.found);
    const told: string[] = [];
    await (await EmbeddedIndex.create(path, MODEL, { onDamage: (text) => told.push(text) }))
      [Symbol.asyncDispose]();
    assertStringIncludes(told.join(), "written anew");
    assertEquals(await search(), before);
  });
}

Deno.test("bytes behind those that the database names do not matter: a killed process left them", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  await update(path, await images(10));
  Deno.writeFileSync(`${path}.1.f16`, new Uint8Array(777).fill(9), { append: true });
  Deno.writeFileSync(`${path}.7.f16`, new Uint8Array(777));
  await update(path, await images(30));
  await using index = await EmbeddedIndex.open(path, {
    onDamage: (message) => {
      throw new Error(message);
    },
  });
  const [found] = await index.search(clustered(1, DIMENSION), { k: 30 });
  assertEquals(found!.length, 30);
  assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => name.includes(".7.")), false);
});

Deno.test("a search that is open sees what another process has written since", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const all = await images(40);
  await update(path, all.slice(0, 10));
  await using index = await EmbeddedIndex.open(path);
  const count = async () => (await index.search([all[0]!.vector!], { k: 100 }))[0]!.length;
  assertEquals(await count(), 10);
  await update(path, all);
  assertEquals(await count(), 40);
  await update(path, all.slice(0, 5)); // into another file
  assertEquals(await count(), 5);
});

Deno.test("another model is refused with the command that embeds anew", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  await update(path, await images(2));
  for (
    const [other, words] of [
      [{ sha256: "cd".repeat(32), name: "other.onnx" }, "mine.onnx (SHA-256 abababababab…)"],
      [{ pool: "mean" }, "--pool cls, not mean"],
      [{ decode: "exact" }, "--decode standard, not exact"],
      [{ dimension: 7 }, "20 numbers, not 7"],
    ] as const
  ) {
    const model = { ...MODEL, ...other };
    for (
      const open of [
        () => EmbeddedIndex.open(path, { model }),
        () => EmbeddedIndex.create(path, model),
      ]
    ) {
      const { message } = await assertRejects(open, Error, words);
      assertStringIncludes(message, "`deno task index 'photos' --db NEW --model");
    }
  }
  // The lock was given back each time.
  await (await EmbeddedIndex.create(path, MODEL))[Symbol.asyncDispose]();
});

Deno.test("the type of the weights stands in the index and in messages, but is not what is compared", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const model = { ...MODEL, dtype: "f16" };
  await using index = await EmbeddedIndex.create(path, model);
  assertEquals(index.model, model);
  index.assertModel(MODEL); // of an index or a program that does not say it
  const other = { ...MODEL, sha256: "cd".repeat(32), dtype: "int8" };
  assertThrows(
    () => index.assertModel(other),
    Error,
    "mine.onnx (f16, SHA-256 abababababab…) made its vectors, not mine.onnx (int8, cdcdcdcdcdcd…)",
  );
});

Deno.test("a file that is no index of this version is refused", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  await assertRejects(() => EmbeddedIndex.open(path), Error, "no such file; make it with");
  await update(path, await images(2));
  {
    using db = new DatabaseSync(path);
    db.exec("pragma user_version = 2");
  }
  await assertRejects(() => EmbeddedIndex.open(path), Error, "version 2");
  await assertRejects(() => EmbeddedIndex.create(path, MODEL), Error, "embed anew with");
  const text = folder.write("b.sqlite", "no database, but a text that is long enough".repeat(9));
  await assertRejects(() => EmbeddedIndex.create(text, MODEL), Error, "another kind of file");
  const foreign = `${folder.path}/c.sqlite`;
  {
    using db = new DatabaseSync(foreign);
    db.exec("create table theirs (x)");
  }
  await assertRejects(() => EmbeddedIndex.create(foreign, MODEL), Error, "another program");
  await assertRejects(
    () => EmbeddedIndex.create(`${folder.path}/nowhere/a.sqlite`, MODEL),
    Error,
    "Cannot open the index",
  );
});

Deno.test("a second writer waits for the first, or until it is told to stop", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const first = await EmbeddedIndex.create(path, MODEL);
  const stop = new AbortController();
  const stopped = EmbeddedIndex.create(path, MODEL, {
    onWait: () => stop.abort(),
    signal: stop.signal,
  });
  await assertRejects(() => stopped, DOMException);
  let waits = 0;
  const second = EmbeddedIndex.create(path, MODEL, {
    onWait() {
      waits++;
      setTimeout(() => first[Symbol.asyncDispose](), 250);
    },
  });
  await (await second)[Symbol.asyncDispose]();
  assertEquals(waits, 1);
});

Deno.test("a put that fails leaves the index as it was", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const [a, b, c] = await images(3) as [ReadImage, ReadImage, ReadImage];
  await update(path, [a]);
  {
    await using index = await EmbeddedIndex.create(path, MODEL);
    await using writer = await index.write();
    const odd = { ...c, vector: new Float32Array(DIMENSION).fill(NaN) };
    await assertRejects(async () => await writer.put("photos", [b, odd]), RangeError, "not finite");
    await assertRejects(
      async () => await writer.put("photos", [{ ...b, vector: undefined }]),
      Error,
      "neither",
    );
    assertEquals(await index.counts(), { images: 1, vectors: 1 });
    await writer.put("photos", [c]);
  }
  await using index = await EmbeddedIndex.open(path);
  const [found] = await index.search([c.vector!], { k: 9 });
  assertEquals(found!.map(({ path }) => path), [c.path, a.path]);
});

Deno.test("names with metacharacters are names", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/it's; drop table image; --.sqlite`;
  const [a, b] = await images(2) as [ReadImage, ReadImage];
  const odd = "photos/'); delete from image; --\n%_*?[x].jpg";
  await update(path, [{ ...a, path: odd, label: `"'\`$(x)` }, b], "'; drop table source; --");
  await using index = await EmbeddedIndex.open(path);
  assertEquals((await index.sources())[0], "'; drop table source; --");
  const [found] = await index.search([a.vector!], { k: 9, where: { label: `"'\`$(x)` } });
  assertEquals(found!.map(({ path }) => path), [odd]);
  assertEquals((await index.counts()).images, 2);
});
