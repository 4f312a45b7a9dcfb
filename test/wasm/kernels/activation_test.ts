import { assertEquals } from "@std/assert";
import { uniform } from "../../random.ts";
import { ACTIVATIONS } from "../activations.ts";
import { BUILDS, bytesOf, Instance } from "../instance.ts";
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

function activate(instance: Instance, activation: number, x: Float32Array): Float32Array {
  const place = instance.guarded(bytesOf(x).length);
  instance.arena.floats(place, x.length).set(x);
  instance.kernels.activate(activation, place, x.length);
  return instance.take(place, x.length);
}
