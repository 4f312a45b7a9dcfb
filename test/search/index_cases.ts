// What every VectorIndex does, whatever it keeps images in.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { IndexedModel, ReadImage, VectorIndex } from "../../src/search/vector_index.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { clustered } from "./clustered.ts";

export const DIMENSION = 20;
export const MODEL: IndexedModel = {
  sha256: "ab".repeat(32),
  name: "mine.onnx",
  pool: "cls",
  decode: "standard",
  dimension: DIMENSION,
};

/** Where a test's index is: nothing at first. */
export interface IndexPlace {
  create(model: IndexedModel): Promise<VectorIndex>;
  open(model?: IndexedModel): Promise<VectorIndex>;
}

/** Images of a folder, every second one a dog. */
export async function images(count: number, from = 0): Promise<ReadImage[]> {
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
export async function update(
  place: IndexPlace,
  listed: readonly ReadImage[],
  source = "photos",
): Promise<{ put: number; forgotten: number }> {
  await using index = await place.create(MODEL);
  await using writer = await index.write();
  const changed = await writer.list(source, listed);
  await writer.put(source, listed.filter((_, i) => changed[i]));
  const { images } = await writer.complete(source);
  await writer.finish();
  return { put: changed.filter(Boolean).length, forgotten: images };
}

/** The paths of an index's images. */
export async function pathsOf(place: IndexPlace): Promise<string[]> {
  await using index = await place.open();
  return (await Array.fromAsync(index.images())).map(({ path }) => path);
}

/** The cases, by what they show. */
export const INDEX_CASES: Readonly<Record<string, (place: IndexPlace) => Promise<void>>> = {
  async "an index finds the same neighbours as a plain loop, at every k"(place) {
    const all = await images(300);
    await update(place, all);
    await using index = await place.open(MODEL);
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
  },

  async "filters never find fewer than k if k match"(place) {
    await update(place, await images(500));
    await using index = await place.open();
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
  },

  async "the vectors of paths are those that were put, of length 1; unknown paths have none"(
    place,
  ) {
    const [a, b, c] = await images(3) as [ReadImage, ReadImage, ReadImage];
    await update(place, [{ ...a, vector: a.vector!.map((x) => 3 * x) }, b]);
    await update(place, [{ ...c, path: a.path }], "another source of the same path");
    await using index = await place.open();
    const [first, none, second, again] = await index.vectors([b.path, c.path, a.path, b.path]);
    assertEquals([none, again], [undefined, first]);
    for (const [vector, { vector: put }] of [[first, b], [second, a]] as const) {
      assertEquals(vector!.length, DIMENSION);
      vector!.forEach((x, i) => assert(Math.abs(x - put![i]!) < 1e-3)); // float16
    }
    assertEquals(await index.vectors([]), []);
  },

  async "an update keeps, adds, replaces and forgets, and leaves other sources alone"(place) {
    const [a, b, c, d] = await images(4) as [ReadImage, ReadImage, ReadImage, ReadImage];
    assertEquals(await update(place, [a, b]), { put: 2, forgotten: 0 });
    assertEquals(await update(place, [d], "others"), { put: 1, forgotten: 0 });
    assertEquals(await update(place, [a, b]), { put: 0, forgotten: 0 });
    const changed = { ...b, sha256: c.sha256, vector: c.vector, size: 11 };
    assertEquals(await update(place, [changed, c]), { put: 2, forgotten: 1 });
    assertEquals(await pathsOf(place), [b.path, c.path, d.path]);
    await using index = await place.open();
    // b and c have the same bytes now.
    assertEquals(await index.counts(), { images: 3, vectors: 2 });
    const [found] = await index.search([c.vector!], { k: 2 });
    assertEquals(found!.map(({ path }) => path), [b.path, c.path]);
  },

  async "an image whose time does not tell must be read again; its label is kept up to date"(
    place,
  ) {
    const [a, b] = await images(2) as [ReadImage, ReadImage];
    await update(place, [{ ...a, modified: undefined }, b]);
    assertEquals(
      (await update(place, [{ ...a, modified: undefined }, { ...b, label: "new" }])).put,
      1,
    );
    await using index = await place.open();
    const labels = (await Array.fromAsync(index.images())).map(({ label }) => label);
    assertEquals(labels, ["dog", "new"]);
  },

  async "a search that is open sees what another process has written since"(place) {
    const all = await images(40);
    await update(place, all.slice(0, 10));
    await using index = await place.open();
    const count = async () => (await index.search([all[0]!.vector!], { k: 100 }))[0]!.length;
    assertEquals(await count(), 10);
    await update(place, all);
    assertEquals(await count(), 40);
    await update(place, all.slice(0, 5)); // into another file
    assertEquals(await count(), 5);
  },

  async "another model is refused with the command that embeds anew"(place) {
    await update(place, await images(2));
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
          () => place.open(model),
          () => place.create(model),
        ]
      ) {
        const { message } = await assertRejects(open, Error, words);
        assertStringIncludes(message, "`deno task index 'photos' --db NEW --model");
      }
    }
    // The lock was given back each time.
    await (await place.create(MODEL))[Symbol.asyncDispose]();
  },

  async "a put that fails leaves the index as it was"(place) {
    const [a, b, c] = await images(3) as [ReadImage, ReadImage, ReadImage];
    await update(place, [a]);
    {
      await using index = await place.create(MODEL);
      await using writer = await index.write();
      const odd = { ...c, vector: new Float32Array(DIMENSION).fill(NaN) };
      await assertRejects(
        async () => await writer.put("photos", [b, odd]),
        RangeError,
        "not finite",
      );
      await assertRejects(
        async () => await writer.put("photos", [{ ...b, vector: undefined }]),
        Error,
        "neither",
      );
      assertEquals(await index.counts(), { images: 1, vectors: 1 });
      await writer.put("photos", [c]);
    }
    await using index = await place.open();
    const [found] = await index.search([c.vector!], { k: 9 });
    assertEquals(found!.map(({ path }) => path), [c.path, a.path]);
  },

  async "names with metacharacters are names"(place) {
    const [a, b] = await images(2) as [ReadImage, ReadImage];
    const odd = 'photos/\'); delete from image; --\n%_*?[x]\\ {"NULL",} \u{1f986}.jpg';
    await update(place, [{ ...a, path: odd, label: `"'\`$(x)` }, b], "'; drop table source; --");
    await using index = await place.open();
    assertEquals((await index.sources())[0], "'; drop table source; --");
    const [found] = await index.search([a.vector!], { k: 9, where: { label: `"'\`$(x)` } });
    assertEquals(found!.map(({ path }) => path), [odd]);
    assertEquals((await index.counts()).images, 2);
  },
};
