import { assert, assertEquals, assertThrows } from "@std/assert";
import { rowBytes, VectorScan } from "../../../src/search/scan/vector_scan.ts";
import { toFloat16, toFloat32 } from "../../../src/tensor/float16.ts";
import { uniform } from "../../random.ts";
import { clustered } from "../clustered.ts";

/** A scan of vectors, and these as they are in it. */
function scanOf(vectors: readonly Float32Array[], dimension: number) {
  const scan = new VectorScan(dimension);
  scan.reserve(vectors.length);
  const size = rowBytes(dimension) / 2;
  const rows = scan.rows(0, vectors.length);
  const stored = vectors.map((data, r) => {
    const halves = toFloat16({ dtype: "float32", shape: [dimension], data });
    rows.set(halves.data, r * size);
    return toFloat32(halves).data;
  });
  return { scan, stored };
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

for (const dimension of [1, 5, 8, 192, 379, 384]) {
  Deno.test(`a scan finds what a plain loop finds: ${dimension} numbers`, () => {
    for (const count of [0, 1, 3, 1024, 2051]) {
      const { scan, stored } = scanOf(clustered(count, dimension, count + 1), dimension);
      for (const queries of [1, 3, 4, 9].map((n) => clustered(n, dimension, 7))) {
        const found = scan.nearest(queries, 10);
        assertEquals(found.length, queries.length);
        for (const [q, query] of queries.entries()) {
          const scores = stored.map((row) => dot(row, query));
          const best = scores.toSorted((a, b) => b - a).slice(0, 10);
          assertEquals(found[q]!.length, Math.min(10, count));
          assertEquals(new Set(found[q]!.map(({ slot }) => slot)).size, found[q]!.length);
          for (const [i, { slot, similarity }] of found[q]!.entries()) {
            assert(Math.abs(similarity - scores[slot]!) < 2e-6, "a similarity");
            assert(Math.abs(similarity - best[i]!) < 2e-6, "a rank");
          }
        }
      }
    }
  });
}

Deno.test("a query finds the same bits alone and among others", () => {
  const { scan } = scanOf(clustered(1500, 100), 100);
  const queries = clustered(6, 100, 3);
  const together = scan.nearest(queries, 1500);
  queries.forEach((query, q) => assertEquals(scan.nearest([query], 1500)[0], together[q]));
});

Deno.test("of equal similarities, the lower slots are found, in order", () => {
  const vectors = Array.from({ length: 3000 }, (_, i) => Float32Array.of(i % 3 === 0 ? 1 : 0, 0.5));
  const { scan } = scanOf(vectors, 2);
  const [found] = scan.nearest([Float32Array.of(1, 0)], 5);
  assertEquals(found!.map(({ slot }) => slot), [0, 3, 6, 9, 12]);
});

Deno.test("all that is allowed is found, however little it is", () => {
  const { scan } = scanOf(clustered(5000, 16), 16);
  const allowed = new Uint8Array(5000);
  for (const slot of [17, 1024, 4999]) allowed[slot] = 1;
  const [found] = scan.nearest(clustered(1, 16, 5), 3, allowed);
  assertEquals(found!.map(({ slot }) => slot).toSorted((a, b) => a - b), [17, 1024, 4999]);
});

Deno.test("every float16 below 32768 counts as it is, also the subnormal ones", () => {
  const halves = Array.from({ length: 0x7800 }, (_, bits) => [bits, bits | 0x8000]).flat();
  const scan = new VectorScan(1);
  scan.reserve(halves.length);
  halves.forEach((half, slot) => scan.rows(slot, 1)[0] = half);
  const { data } = toFloat32({
    dtype: "float16",
    shape: [halves.length],
    data: Uint16Array.from(halves),
  });
  const found: number[] = [];
  scan.above([Float32Array.of(1)], -Infinity, (_, { similarity }) => found.push(similarity));
  assertEquals(found.map((x) => x + 0), Array.from(data, (x) => x + 0)); // no negative zeros
});

Deno.test("above visits what is at least the threshold, and nothing else", () => {
  const { scan } = scanOf([1, 0.5, 0.25, 0.5].map((x) => Float32Array.of(x)), 1);
  const found: number[][] = [];
  scan.above(
    [Float32Array.of(1), Float32Array.of(-1)],
    0.5,
    (q, { slot }) => found.push([q, slot]),
  );
  assertEquals(found, [[0, 0], [0, 1], [0, 3]]);
});

Deno.test("a checksum changes with any bit and with the order, and is a sum of its parts", () => {
  const { scan } = scanOf(clustered(300, 24), 24);
  const whole = scan.checksum(0, 300);
  assertEquals(scan.checksum(0, 77) + scan.checksum(77, 223) >>> 0, whole);
  const random = uniform(1);
  for (let i = 0; i < 200; i++) {
    const row = scan.rows(Math.floor(random() * 300), 1);
    const at = Math.floor(random() * row.length);
    const bit = 1 << Math.floor(random() * 16);
    row[at]! ^= bit;
    assert(scan.checksum(0, 300) !== whole);
    row[at]! ^= bit;
  }
  const [first, second] = [scan.rows(0, 1).slice(), scan.rows(1, 1).slice()];
  scan.rows(0, 1).set(second);
  scan.rows(1, 1).set(first);
  assert(scan.checksum(0, 300) !== whole);
});

Deno.test("a scan says what it cannot do", () => {
  const scan = new VectorScan(384);
  assertThrows(() => scan.reserve(6_000_000), RangeError, "4 GiB");
  assertThrows(() => scan.nearest([new Float32Array(3)], 1), RangeError, "has 3 numbers");
});
