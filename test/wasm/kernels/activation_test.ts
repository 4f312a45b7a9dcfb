import { assert, assertEquals } from "@std/assert";
import { Tile } from "../../../src/runtime/simd/structs.ts";
import { uniform } from "../../random.ts";
import { ACTIVATIONS } from "../activations.ts";
import { BUILDS, GUARD, Instance } from "../instance.ts";
import { assertClose, numbers } from "../numbers.ts";

const ACTIVATION_TOLERANCE = 1e-6;

for (const build of BUILDS) {
  for (const [activation, name, reference] of ACTIVATIONS) {
    Deno.test(`${build} kernels: ${name} is right within ${ACTIVATION_TOLERANCE}`, () => {
      const instance = new Instance(build);
      const random = uniform(activation);
      const x = numbers(random, 16_000, 10);
      x.set([0, -0, 1e-30, -1e-30, 5.25, -5.25, 88, -88, 1e4, -1e4, 3e38, -3e38]);
      const actual = activate(instance, activation, x);
      const expected = Float64Array.from(x, reference);
      assertClose(actual, expected, ACTIVATION_TOLERANCE);
      const errors = x.map((v, i) => Math.abs(v) <= 10 ? Math.abs(actual[i]! - expected[i]!) : 0);
      const largest = errors.reduce((a, b) => Math.max(a, b));
      console.log(`largest error ${largest.toExponential(1)}`);
    });
  }

  Deno.test(`${build} kernels: activations keep NaN and infinity, and nothing else changes`, () => {
    const instance = new Instance(build);
    for (const [activation] of ACTIVATIONS) {
      for (let lane = 0; lane < 8; lane++) {
        const x = numbers(uniform(lane), 8);
        const expected = activate(instance, activation, x);
        x[lane] = expected[lane] = NaN;
        const other = (lane + 3) % 8;
        x[other] = expected[other] = Infinity;
        assertEquals(activate(instance, activation, x), expected);
      }
    }
  });
}

/** Applies an activation function to rows of eight numbers, with a guard after each. */
function activate(
  instance: Instance,
  activation: number,
  x: Float32Array,
): Float32Array {
  const rows = x.length / Tile.PANEL, stride = 4 * (Tile.PANEL + 1);
  const place = instance.guarded(rows * stride);
  for (let row = 0; row < rows; row++) {
    const numbers = x.subarray(row * Tile.PANEL, (row + 1) * Tile.PANEL);
    instance.arena.floats(place + row * stride, Tile.PANEL).set(numbers);
  }
  instance.kernels.activate(activation, place, rows, stride);
  const all = instance.take(place, rows * stride / 4);
  assert(all.every((v, i) => i % (Tile.PANEL + 1) < Tile.PANEL || v === GUARD));
  return all.filter((_, i) => i % (Tile.PANEL + 1) < Tile.PANEL);
}
