import { assert, assertEquals } from "@std/assert";
import { RowCodes } from "../../../src/search/scan/row_codes.ts";
import { VectorScan } from "../../../src/search/scan/vector_scan.ts";
import { uniform } from "../../random.ts";
import { clustered } from "../clustered.ts";
import { bitsOf, plainDot, plainNearest, scanOf } from "./plain_scan.ts";
import { unusualQueries, unusualRows } from "./unusual_rows.ts";

/** Runs a function; returns how many blocks of codes were searched meanwhile. */
function blocksOf(run: () => void): number {
  const { candidates } = RowCodes.prototype;
  let count = 0;
  RowCodes.prototype.candidates = function (...args) {
    count++;
    return candidates.apply(this, args);
  };
  try {
    run();
  } finally {
    RowCodes.prototype.candidates = candidates;
  }
  return count;
}

/** Negative zeros as zeros. */
const plain = <T extends { similarity: number }>(hits: readonly T[]) =>
  hits.map((hit) => ({ ...hit, similarity: hit.similarity + 0 }));

for (const dimension of [1, 2, 7, 8, 9, 16, 63, 192, 384, 1000, 1024]) {
  Deno.test(`codes change no bit of what is nearest: ${dimension} numbers`, () => {
    const random = uniform(dimension);
    for (const count of [1, 80, 1500]) {
      const rows = unusualRows(count, dimension, dimension + count);
      const isAllowed = Uint8Array.from(rows, () => random() < 0.1 ? 1 : 0);
      const scan = scanOf(rows, dimension, 0);
      for (const n of [1, 3, 9]) {
        const queries = unusualQueries(rows, n, dimension + n);
        const scores = queries.map((query) => rows.map((row) => plainDot(row, query)));
        for (const k of [1, 10, count + 1]) {
          for (const allowed of [undefined, isAllowed]) {
            const found = scan.nearest(queries, k, allowed);
            assertEquals(found, scanOf(rows, dimension).nearest(queries, k, allowed));
            assertEquals(found.map(plain), scores.map((of) => plainNearest(of, k, allowed)));
          }
        }
      }
    }
  });
}

Deno.test("more queries than pass over the codes at once find what each finds alone", () => {
  const rows = clustered(3000, 48, 2).map((row) => Float16Array.from(row));
  const scan = scanOf(rows, 48, 0);
  const queries = unusualQueries(rows, 131, 3).filter((query) => RowCodes.canBound([query]));
  assert(queries.length > 128);
  const alone = queries.map((query) => scanOf(rows, 48).nearest([query], 20)[0]);
  const blocks = blocksOf(() => assertEquals(scan.nearest(queries, 20), alone));
  assertEquals(blocks, 3 * 7); // 64, 64, 128, 256, 512, 1024 and 952 rows
});

Deno.test("rows that come in the order of their similarity are all candidates, and found", () => {
  const rows = Array.from({ length: 3000 }, (_, r) => Float16Array.of(r / 3000, 1));
  const queries = [Float32Array.of(1, 0), Float32Array.of(-1, 0.5)];
  const scan = scanOf(rows, 2, 0);
  assertEquals(scan.nearest(queries, 100), scanOf(rows, 2).nearest(queries, 100));
});

Deno.test("codes change no bit of what is above a threshold, from any row on", () => {
  const rows = unusualRows(2500, 40, 6);
  const queries = unusualQueries(rows, 11, 7).filter((query) => RowCodes.canBound([query]));
  for (const threshold of [-Infinity, -0.1, 0, 0.3, 0.9753, 1, 1e6, NaN]) {
    for (const first of [0, 1, 1030, 2499, 2500]) {
      const [coded, exact] = [scanOf(rows, 40, 0), scanOf(rows, 40)].map((scan) => {
        const found = queries.map((): unknown[] => []);
        scan.above(queries, threshold, (q, hit) => found[q]!.push(hit), first);
        return found;
      });
      assertEquals(coded, exact);
      const count = rows.length - first;
      if (threshold === -Infinity) {
        assertEquals(
          exact!.map((of) => of.length),
          queries.map(() => count),
        );
      }
    }
  }
});

Deno.test("codes are made after 31 queries, and for searches that they help", () => {
  const rows = clustered(800, 12).map((row) => Float16Array.from(row));
  const scan = new VectorScan(12);
  scan.reserve(800);
  rows.forEach((row, r) => scan.rows(r, 1).set(bitsOf(row)));
  const queries = clustered(16, 12, 2);
  const search = (count: number, k = 5) => () => scan.nearest(queries.slice(0, count), k);
  assertEquals(blocksOf(search(16)), 0);
  assertEquals(blocksOf(search(15)), 0);
  assertEquals(blocksOf(search(1)), 5);
  assertEquals(blocksOf(search(1, 100)), 5);
  assertEquals(blocksOf(search(1, 101)), 0); // of 800
  assertEquals(blocksOf(() => scan.nearest([new Float32Array(12)], 1)), 0);
});

Deno.test("rows that were written, added or removed since are encoded anew", () => {
  const rows = clustered(600, 30).map((row) => Float16Array.from(row));
  const scan = scanOf(rows, 30, 0);
  const check = () => {
    const queries = [
      ...clustered(2, 30, 4),
      Float32Array.from(rows[500 % rows.length]!),
      Float32Array.from(rows.at(-1)!),
    ];
    assert(
      blocksOf(() => assertEquals(scan.nearest(queries, 9), scanOf(rows, 30).nearest(queries, 9))) >
        0,
    );
  };
  check();
  rows[500] = Float16Array.from(clustered(1, 30, 77)[0]!);
  scan.rows(500, 1).set(bitsOf(rows[500]));
  check();
  rows.push(...clustered(900, 30, 5).map((row) => Float16Array.from(row)));
  scan.reserve(rows.length);
  for (let r = 600; r < rows.length; r++) scan.rows(r, 1).set(bitsOf(rows[r]!));
  check();
  rows.length = 350;
  scan.reserve(350);
  check();
  rows.push(rows[0]!.slice());
  scan.reserve(351);
  scan.rows(350, 1).set(bitsOf(rows[0]!));
  check();
});

Deno.test("a search goes on without codes if there is no memory for them", () => {
  const rows = clustered(2000, 100).map((row) => Float16Array.from(row));
  const scan = scanOf(rows, 100, 0);
  const queries = clustered(20, 100, 2);
  const { grow } = WebAssembly.Memory.prototype;
  let isRefused = false;
  WebAssembly.Memory.prototype.grow = () => {
    isRefused = true;
    throw new RangeError("out of memory");
  };
  try {
    const blocks = blocksOf(() => {
      const [found] = scan.nearest(queries, 3);
      assertEquals(found, scan.nearest(queries.slice(0, 1), 3)[0]);
      assertEquals(found!.length, 3);
    });
    assertEquals(blocks, 0);
  } finally {
    WebAssembly.Memory.prototype.grow = grow;
  }
  assert(isRefused);
});
