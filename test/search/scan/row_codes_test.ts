import { assert, assertEquals } from "@std/assert";
import { RowCodes } from "../../../src/search/scan/row_codes.ts";
import { clustered } from "../clustered.ts";
import { bitsOf, plainDot, plainNearest } from "./plain_scan.ts";
import { unusualQueries, unusualRows } from "./unusual_rows.ts";

function codesOf(rows: readonly Float16Array[], dimension: number): RowCodes {
  const codes = new RowCodes(dimension);
  const size = 8 * Math.ceil(dimension / 8);
  const padded = new Uint16Array(rows.length * size);
  rows.forEach((row, r) => padded.set(bitsOf(row), r * size));
  codes.append(padded);
  return codes;
}

const negative = (query: Float32Array) => query.map((x) => -x);

for (const dimension of [1, 3, 8, 15, 16, 24, 100, 384, 1000, 1024]) {
  Deno.test(`no dot product is outside of its row's bounds: ${dimension} numbers`, () => {
    const rows = unusualRows(400, dimension, dimension);
    const codes = codesOf(rows, dimension);
    for (const count of [1, 4, 6, 7]) {
      const some = unusualQueries(rows, count, dimension + count);
      // The upper bounds of both are an upper and a lower one.
      const queries = [...some, ...some.map(negative)].filter((q) => RowCodes.canBound([q]));
      assert(queries.length >= count);
      codes.setQueries(queries);
      for (const [r, row] of rows.entries()) {
        const found: number[] = [];
        codes.candidates(r, 1, (q) => plainDot(row, queries[q]!), (q, list) => {
          assertEquals([...list], [r]);
          found.push(q);
        });
        assertEquals(found, [...queries.keys()]);
      }
    }
  });

  Deno.test(`bounds are as close as codes of 8 bits allow: ${dimension} numbers`, () => {
    const rows = clustered(100, dimension, 3).map((row) => Float16Array.from(row));
    const codes = codesOf(rows, dimension);
    const queries = clustered(5, dimension, 4);
    codes.setQueries(queries);
    for (const [r, row] of rows.entries()) {
      const largest = Math.max(...row.map(Math.abs));
      // A number is wrong by half a step at most; both bounds may be wrong by that.
      const error = largest / 127 / 2 * Math.sqrt(dimension);
      const barOf = (q: number) => plainDot(row, queries[q]!) + 2 * error + 0.002;
      codes.candidates(r, 1, barOf, (q) => assert(false, `row ${r}, query ${q}`));
    }
  });
}

Deno.test("sums of integers do not overflow, however many the numbers are", () => {
  for (const dimension of [500, 520, 1024, 9999]) {
    const ones = new Float16Array(dimension).fill(1);
    const codes = codesOf([ones], dimension);
    const query = new Float32Array(dimension).fill(0.5);
    codes.setQueries([query, negative(query), query, query, query]);
    const found: number[] = [];
    codes.candidates(0, 1, (q) => q === 1 ? 0 : dimension / 2, (q) => found.push(q));
    assertEquals(found, [0, 2, 3, 4]);
  }
});

Deno.test("of vectors in clusters, few are candidates", () => {
  const rows = clustered(4000, 384, 5).map((row) => Float16Array.from(row));
  const queries = rows.slice(0, 8).map((row) => Float32Array.from(row));
  const codes = codesOf(rows, 384);
  codes.setQueries(queries);
  const bars = queries.map((query) =>
    plainNearest(rows.map((row) => plainDot(row, query)), 10).at(-1)!.similarity
  );
  let count = 0;
  for (let first = 0; first < rows.length; first += 1000) {
    codes.candidates(first, 1000, (q) => bars[q]!, (_, list) => count += list.length);
  }
  assert(count >= 80 && count < 160, `${count} candidates`);
});

Deno.test("rows are appended and forgotten", () => {
  const rows = unusualRows(300, 20, 1);
  const codes = codesOf(rows.slice(0, 150), 20);
  const rest = codesOf(rows, 20);
  codes.forget(100);
  codes.forget(120);
  assertEquals(codes.count, 100);
  const padded = new Uint16Array(200 * 24);
  rows.slice(100).forEach((row, r) => padded.set(bitsOf(row), r * 24));
  codes.append(padded);
  assertEquals(codes.count, 300);
  const query = clustered(1, 20, 2);
  const [first, second] = [codes, rest].map((some) => {
    const found: number[] = [];
    some.setQueries(query);
    some.candidates(0, 300, () => 0.1, (_, list) => found.push(...list));
    return found;
  });
  assert(first!.length > 0 && first!.length < 300);
  assertEquals(first, second);
});

Deno.test("queries that cannot be bounded are told", () => {
  assert(RowCodes.canBound([Float32Array.of(1, 2), Float32Array.of(-30_000)]));
  for (const query of [[0], [1e-25], [NaN], [Infinity]]) {
    assert(!RowCodes.canBound([Float32Array.of(1), Float32Array.from(query)]));
  }
  assert(RowCodes.canBound([new Float32Array(65_536).fill(1)]));
  assert(!RowCodes.canBound([new Float32Array(65_537).fill(1)]));
});
