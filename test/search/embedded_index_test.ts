import { DatabaseSync } from "node:sqlite";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import type { ReadImage } from "../../src/search/vector_index.ts";
import { TempFolder } from "../cli/run.ts";
import { clustered } from "./clustered.ts";
import * as cases from "./index_cases.ts";
import { DIMENSION, images, INDEX_CASES, MODEL } from "./index_cases.ts";

const at = (path: string): cases.IndexPlace => ({
  create: (model) => EmbeddedIndex.create(path, model),
  open: (model) => EmbeddedIndex.open(path, { model }),
});

const update = (path: string, listed: readonly ReadImage[]) => cases.update(at(path), listed);
const pathsOf = (path: string) => cases.pathsOf(at(path));

for (const [name, test] of Object.entries(INDEX_CASES)) {
  Deno.test(name, async () => {
    using folder = new TempFolder();
    await test(at(`${folder.path}/it's; drop table image; --.sqlite`));
  });
}

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
    "mine.onnx (f16, SHA-256 abababababab…) made its vectors, not the model mine.onnx (int8, cdcdcdcdcdcd…)",
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
