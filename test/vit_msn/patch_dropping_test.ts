import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { choosePatches } from "../../src/vit_msn/patch_dropping.ts";

Deno.test("choosePatches() takes one patch of each run", () => {
  for (const count of [1, 7, 64, 196]) {
    for (const keepPatches of [0.001, 0.1, 0.25, 1 / 3, 0.5, 0.77, 0.99, 1]) {
      for (let seed = 0; seed < 20; seed++) {
        const kept = choosePatches(count, { keepPatches, seed });
        assertEquals(kept.length, Math.max(1, Math.round(count * keepPatches)));
        kept.forEach((patch, i) => {
          assert(patch >= Math.floor(i * count / kept.length));
          assert(patch < Math.floor((i + 1) * count / kept.length));
        });
      }
    }
  }
});

Deno.test("choosePatches() keeps all patches by default", () => {
  assertEquals(choosePatches(5, {}), [0, 1, 2, 3, 4]);
});

Deno.test("choosePatches() chooses by the seed", () => {
  const choose = (seed?: number) =>
    choosePatches(196, { keepPatches: 0.25, ...(seed === undefined ? {} : { seed }) });
  assertEquals(choose(7), choose(7));
  assertEquals(choose(), choose(0));
  assertNotEquals(choose(7), choose(8));
  assertEquals(choose(-1).length, 49);
});

Deno.test("choosePatches() has every patch its turn", () => {
  const counts = new Array<number>(12).fill(0);
  for (let seed = 0; seed < 600; seed++) {
    for (const patch of choosePatches(12, { keepPatches: 0.25, seed })) counts[patch]!++;
  }
  // Each is one of four: 150 times, give or take.
  assert(counts.every((count) => count > 100 && count < 200), counts.join());
});

Deno.test("choosePatches() refuses what makes no sense", () => {
  for (const keepPatches of [0, -0.5, 1.01, NaN, Infinity]) {
    assertThrows(
      () => choosePatches(9, { keepPatches }),
      RangeError,
      `Cannot keep a share of ${keepPatches} of the patches`,
    );
  }
  for (const seed of [0.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(
      () => choosePatches(9, { seed }),
      RangeError,
      `the seed ${seed}: it is not an integer`,
    );
  }
});
