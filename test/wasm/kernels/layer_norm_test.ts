import { assertEquals } from "@std/assert";
import { uniform } from "../../random.ts";
import { BUILDS, Instance } from "../instance.ts";
import { assertClose, assertSameBits, integer, numbers, sumOf } from "../numbers.ts";

for (const build of BUILDS) {
  Deno.test(`${build} kernels: layerNorm() of any width, in place too, and not a number further`, () => {
    const instance = new Instance(build);
    const random = uniform(5);
    for (let width = 1; width <= 67; width++) {
      const size = 10 ** integer(random, -2, 2);
      const mean = size * random();
      const x = numbers(random, width, size).map((v) => v + mean);
      const weight = numbers(random, width), bias = numbers(random, width);
      const expected = layerNormReference(x, weight, bias, 1e-6);
      assertClose(layerNorm(instance, x, weight, bias, false), expected, 2e-5, `width ${width}`);
      assertClose(layerNorm(instance, x, weight, bias, true), expected, 2e-5, `width ${width}`);
    }
  });

  Deno.test(`${build} kernels: layerNorm() of equal numbers is the bias, with NaN or infinity NaN`, () => {
    const instance = new Instance(build);
    for (const width of [1, 4, 7, 18]) {
      const weight = numbers(uniform(6), width), bias = numbers(uniform(7), width);
      const x = new Float32Array(width).fill(2.5);
      assertEquals(layerNorm(instance, x, weight, bias, false), bias);
      for (let i = 0; i < width; i++) {
        for (const bad of [NaN, Infinity, -Infinity]) {
          const actual = layerNorm(instance, x.with(i, bad), weight, bias, false);
          assertEquals(actual, new Float32Array(width).fill(NaN));
        }
      }
    }
  });
}

Deno.test("plain kernels: layerNorm() gives the same bits every time, wherever things lie", () => {
  const results = [0, 1, 2].map((skipped) => {
    const instance = new Instance("plain");
    instance.poisoned(1000 * skipped);
    const random = uniform(15);
    const x = numbers(random, 21), weight = numbers(random, 21), bias = numbers(random, 21);
    return layerNorm(instance, x, weight, bias, false);
  });
  for (const result of results) assertSameBits(result, results[0]!);
});

function layerNorm(
  instance: Instance,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  inPlace: boolean,
): Float32Array {
  const out = instance.guarded(4 * x.length);
  if (inPlace) instance.arena.floats(out, x.length).set(x);
  const from = inPlace ? out : instance.put(x);
  const parameters = [instance.put(weight), instance.put(bias)] as const;
  instance.kernels.layerNorm(from, ...parameters, out, x.length, 1e-6);
  return instance.take(out, x.length);
}

function layerNormReference(
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  epsilon: number,
): Float64Array {
  const mean = sumOf(x) / x.length;
  const variance = sumOf(Float64Array.from(x, (v) => (v - mean) ** 2)) / x.length;
  return Float64Array.from(
    x,
    (v, i) => (v - mean) / Math.sqrt(variance + epsilon) * weight[i]! + bias[i]!,
  );
}
