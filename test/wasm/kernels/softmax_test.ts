import { assert, assertEquals } from "@std/assert";
import { Tile } from "../../../src/runtime/simd/structs.ts";
import { uniform } from "../../random.ts";
import { BUILDS, Instance } from "../instance.ts";
import { assertClose, numbers, padded, sumOf } from "../numbers.ts";

for (const build of BUILDS) {
  Deno.test(`${build} kernels: softmaxNumerators() has eˣ within 2 units in the last place`, () => {
    const instance = new Instance(build);
    // The largest is 0; with a negative scale the powers are those of positive numbers.
    for (const [scale, least] of [[1, -87.33], [-1, -88.37]] as const) {
      const random = uniform(3);
      const x = Float32Array.from({ length: 20_001 }, (_, i) => i ? least * random() : 0);
      const { numerators } = softmaxNumerators(instance, x, scale);
      let largest = 0;
      x.forEach((v, i) => largest = Math.max(largest, ulps(numerators[i]!, Math.exp(scale * v))));
      console.log(`largest error ${largest.toFixed(2)} units`);
      assert(largest <= 2);
    }
  });

  Deno.test(`${build} kernels: softmaxNumerators() gives powers of any count, and their sum`, () => {
    const instance = new Instance(build);
    const random = uniform(4);
    for (let count = 1; count <= 40; count++) {
      const x = numbers(random, count, 30);
      const scale = Math.fround(0.05 + random());
      const largest = x.reduce((a, b) => Math.max(a, b));
      const expected = Float64Array.from(x, (v) => Math.exp(scale * (v - largest)));
      const { numerators, sum } = softmaxNumerators(instance, x, scale);
      assertClose(numerators, expected, 1e-6);
      assertClose(Float32Array.of(sum), [sumOf(expected)], 1e-6);
    }
  });

  Deno.test(`${build} kernels: softmaxNumerators() of far smaller numbers is about 0, of NaN NaN`, () => {
    const instance = new Instance(build);
    const far = Float32Array.of(-1000, 5, -Infinity, -3e38, -90);
    const { numerators, sum } = softmaxNumerators(instance, far, 1);
    assertEquals(numerators[1], 1);
    assert([0, 2, 3, 4].every((i) => numerators[i]! >= 0 && numerators[i]! < 1.2e-38));
    assertEquals(sum, 1);
    for (let count = 1; count <= 20; count++) {
      for (const bad of [NaN, Infinity]) {
        const x = numbers(uniform(count), count);
        x[(7 * count) % count] = bad;
        x[count >> 1] = bad;
        assertEquals(softmaxNumerators(instance, x, 1).sum, NaN);
      }
    }
  });
}

/** An error in units in the last place of float32, of which the smallest normal ones have 2⁻¹⁴⁹. */
function ulps(actual: number, expected: number): number {
  return Math.abs(actual - expected) / 2 ** (Math.max(Math.floor(Math.log2(expected)), -126) - 23);
}

/** The powers and their sum; what fills up the row is NaN before. */
function softmaxNumerators(instance: Instance, x: Float32Array, scale: number) {
  const count = padded(x.length, Tile.PANEL);
  const place = instance.guarded(4 * count);
  const row = instance.arena.floats(place, count).fill(NaN);
  row.set(x);
  const sum = instance.kernels.softmaxNumerators(place, x.length, count, scale);
  return { numerators: instance.take(place, count).subarray(0, x.length), sum };
}
