import { assert, assertEquals } from "@std/assert";
import { uniform } from "../../random.ts";
import { BUILDS, Instance } from "../instance.ts";
import { integer, numbers, padded, sumOf } from "../numbers.ts";
import { foursOf, quantized, rangeOf } from "../quantized.ts";

for (const build of BUILDS) {
  Deno.test(`${build} kernels: quantizeRow() rounds to 8 bits, fills up with zeros, and sums`, () => {
    const instance = new Instance(build);
    const random = uniform(8);
    for (let width = 1; width <= 67; width++) {
      const x = numbers(random, width, 10 ** integer(random, -20, 20));
      const { q, scale, start } = quantizeRow(instance, x);
      assertEquals(scale, Math.fround(rangeOf(x) / 127));
      assertEquals(q.subarray(0, width), quantized(x));
      x.forEach((v, i) => assert(Math.abs(q[i]! - v / scale) < 0.5001, `${q[i]}`));
      assertEquals(start, -64 * sumOf(q));
      assert(q.subarray(width).every((v) => v === 0));
    }
  });

  Deno.test(`${build} kernels: quantizeRow() keeps four products of weights in 16 bits`, () => {
    const instance = new Instance(build);
    const random = uniform(9);
    let largest = 0;
    for (let trial = 0; trial < 2000; trial++) {
      const size = random();
      const x = numbers(random, integer(random, 1, 40)).map((v) =>
        Math.sign(v) * Math.abs(v) ** size
      );
      const { q } = quantizeRow(instance, x);
      for (const four of foursOf(q.length)) {
        for (const sign of [1, -1]) {
          const sum = sumOf(four.map((place) => Math.max(0, sign * (q[place] ?? 0))));
          largest = Math.max(largest, 127 * sum);
        }
      }
    }
    console.log(`largest sum of four products ${largest}`);
    assert(largest <= 32767 && largest > 32000);
  });

  Deno.test(`${build} kernels: quantizeRow() takes ties to even; its scale of what is not finite is neither`, () => {
    const instance = new Instance(build);
    const ties = Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -127, 0.49, 3.51); // scale 1
    const expected = Int8Array.of(0, 2, 2, 0, -2, -2, 126, -127, 0, 4, 0, 0);
    assertEquals(quantizeRow(instance, ties).q, expected);
    const zero = quantizeRow(instance, new Float32Array(5));
    assertEquals(zero.q, new Int8Array(8));
    assertEquals(zero.start, 0);
    assert(Number.isFinite(zero.scale) && zero.scale > 0);
    for (let width = 1; width <= 9; width++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        for (let i = 0; i < width; i++) {
          const x = numbers(uniform(width), width).with(i, bad);
          assert(!Number.isFinite(quantizeRow(instance, x).scale));
        }
      }
    }
  });
}

/** A quantised row with the zeros that fill it up. */
function quantizeRow(instance: Instance, x: Float32Array) {
  const bytes = padded(x.length, 4);
  const out = instance.guarded(bytes);
  const scale = instance.guarded(4), start = instance.guarded(4);
  instance.kernels.quantizeRow(instance.put(x), x.length, out, scale, start);
  return {
    q: new Int8Array(instance.take(out, bytes / 4).buffer),
    scale: instance.take(scale, 1)[0]!,
    start: new Int32Array(instance.take(start, 1).buffer)[0]!,
  };
}
