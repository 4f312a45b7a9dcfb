import { assert, assertEquals, assertThrows } from "@std/assert";
import { duplicateThreshold } from "../../src/search/duplicate_threshold.ts";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import { nearDuplicates } from "../../src/search/near_duplicates.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { TempFolder } from "../cli/run.ts";
import { uniform } from "../random.ts";
import { clustered } from "./clustered.ts";

/** The groups of an index of vectors, as their paths. */
async function groupsOf(vectors: Readonly<Record<string, Float32Array>>, threshold: number) {
  using folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  const entries = Object.entries(vectors);
  const dimension = entries[0]![1].length;
  const model = { sha256: "00", name: "", pool: "cls", decode: "standard", dimension };
  await using index = await EmbeddedIndex.create(path, model);
  await using writer = await index.write();
  await writer.put(
    "photos",
    await Promise.all(entries.map(async ([path, vector]) => ({
      path,
      size: 1,
      sha256: await sha256(new Uint8Array(vector.slice().buffer)),
      vector,
    }))),
  );
  await writer.finish();
  const progress: number[] = [];
  const groups = await nearDuplicates(index, threshold, {
    onProgress: (done, all) => progress.push(done / all),
  });
  assertEquals(progress.at(-1), 1);
  return groups.map((group) => group.map(({ path }) => path));
}

const at = (degrees: number) =>
  Float32Array.of(Math.cos(degrees * Math.PI / 180), Math.sin(degrees * Math.PI / 180));

Deno.test("a chain of images is no group; each is similar to the first one of its group", async () => {
  const vectors = { a: at(0), b: at(8), c: at(16), d: at(24), e: at(32), f: at(90) };
  const groups = await groupsOf(vectors, Math.cos(10 * Math.PI / 180));
  assertEquals(groups.map((group) => group.toSorted()), [["a", "b", "c"], ["d", "e"]]);
  assertEquals(groups[0]![0], "b");
});

Deno.test("images of the same bytes are a group at any threshold", async () => {
  assertEquals(await groupsOf({ a: at(0), b: at(0), c: at(1) }, 2), [["a", "b"]]);
  assertEquals(await groupsOf({ a: at(0), b: at(90) }, 0.9), []);
});

Deno.test("all planted duplicates are found, and no others", async () => {
  const originals = clustered(300, 64);
  const random = uniform(5);
  const vectors = Object.fromEntries(originals.flatMap((vector, i) => [
    [`${i}.jpg`, vector],
    ...(i % 3 === 0 ? [[`${i}-copy.jpg`, vector.map((x) => x + 0.005 * random())]] : []),
  ]));
  const groups = await groupsOf(vectors, 0.995);
  assertEquals(groups.length, 100);
  for (const [first, second, ...others] of groups.map((group) => group.toSorted())) {
    assertEquals([others.length, first!.replace("-copy", "")], [0, second]);
  }
});

Deno.test("the threshold finds 95 % of the copies, or fewer for at most 1 % of false ones", () => {
  const copies = Array.from({ length: 1000 }, (_, i) => 0.9 + i * 1e-4);
  const low = Array.from({ length: 1000 }, (_, i) => 0.3 + i * 1e-4);
  const clear = duplicateThreshold(copies, low);
  assertEquals([clear.found, clear.falsePositives], [0.95, 0]);
  const high = low.map((x) => x + 0.57); // up to 0.97
  const unclear = duplicateThreshold(copies, high);
  assert(unclear.found < 0.6 && unclear.found > 0.3);
  assertEquals(unclear.falsePositives, 0.01);
  assertEquals(duplicateThreshold([0.9, 0.9], []).falsePositives, 0);
  assertThrows(() => duplicateThreshold([], [0.5]), RangeError, "no copies");
});
