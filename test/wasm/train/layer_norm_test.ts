import type { Tensor } from "../../../src/tensor/tensor.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { assertClose, integer, numbers, sumOf } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";

/** What gradients are added to. */
interface Sums {
  readonly dx: Float32Array;
  readonly dWeight: Float32Array;
  readonly dBias: Float32Array;
}

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: layerNormBackward() of any width adds, and changes nothing else`, () => {
    const random = uniform(35);
    for (let width = 1; width <= 70; width++) {
      const size = 10 ** integer(random, -1, 2);
      const x = numbers(random, width, size).map((v) => v + size);
      const weight = numbers(random, width), dy = numbers(random, width);
      const sums = {
        dx: numbers(random, width),
        dWeight: numbers(random, width),
        dBias: numbers(random, width),
      };
      const expected = reference(x, weight, dy, 1e-6);
      for (const unwanted of [[], ["dx"], ["dWeight", "dBias"], ["dBias"]] as (keyof Sums)[][]) {
        const actual = layerNormBackward(build, x, weight, dy, sums, unwanted);
        for (const name of ["dx", "dWeight", "dBias"] as const) {
          const wanted = expected[name].map((v, i) => v + sums[name][i]!);
          // Rounding grows with 1 / √variance, which a row of one number makes 1000.
          const tolerance = 2e-5 * (name === "dx" ? 1 + expected.r : 1);
          if (!unwanted.includes(name)) {
            assertClose(actual[name], wanted, tolerance, `${name} of width ${width}`);
          } else assertClose(actual[name], sums[name], 0, `${name} is not wanted`);
        }
      }
    }
  });

  Deno.test(`${build} kernels: layerNormBackward() is what PyTorch computes`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    const of = (name: string) => (ops.get(`layer_norm.${name}`) as Tensor<"float32">).data;
    const width = of("weight").length, rows = of("x").length / width;
    let sums: Sums = {
      dx: new Float32Array(width),
      dWeight: new Float32Array(width),
      dBias: new Float32Array(width),
    };
    for (let row = 0; row < rows; row++) {
      const at = (name: string) => of(name).slice(row * width, (row + 1) * width);
      const zero = { ...sums, dx: new Float32Array(width) };
      sums = layerNormBackward(build, at("x"), of("weight"), at("dy"), zero, []);
      assertClose(sums.dx, at("d_x"), 2e-6, `row ${row}`);
    }
    assertClose(sums.dWeight, of("d_weight"), 2e-6);
    assertClose(sums.dBias, of("d_bias"), 2e-6);
  });
}

function layerNormBackward(
  build: typeof TRAIN_BUILDS[number],
  x: Float32Array,
  weight: Float32Array,
  dy: Float32Array,
  sums: Sums,
  unwanted: readonly (keyof Sums)[],
): Sums {
  const instance = new TrainInstance(build);
  const width = x.length;
  const place = (data: Float32Array) => instance.guardedRows(data, width, 4 * width);
  const places = { dx: place(sums.dx), dWeight: place(sums.dWeight), dBias: place(sums.dBias) };
  const gradient = place(dy);
  const wanted = (name: keyof Sums) => unwanted.includes(name) ? 0 : places[name];
  instance.kernels.layerNormBackward(
    instance.put(x),
    instance.put(weight),
    gradient,
    width,
    1e-6,
    wanted("dx"),
    wanted("dWeight"),
    wanted("dBias"),
  );
  instance.take(gradient, width);
  return {
    dx: instance.take(places.dx, width),
    dWeight: instance.take(places.dWeight, width),
    dBias: instance.take(places.dBias, width),
  };
}

/** In double precision. */
function reference(x: Float32Array, weight: Float32Array, dy: Float32Array, epsilon: number) {
  const wide = Float64Array.from(x);
  const mean = sumOf(wide) / x.length;
  const variance = sumOf(wide.map((v) => (v - mean) ** 2)) / x.length;
  const r = 1 / Math.sqrt(variance + epsilon);
  const normal = wide.map((v) => (v - mean) * r);
  const a = Float64Array.from(dy, (v, i) => v * weight[i]!);
  const aMean = sumOf(a) / x.length;
  const axMean = sumOf(a.map((v, i) => v * normal[i]!)) / x.length;
  return {
    r,
    dx: a.map((v, i) => r * (v - aMean - normal[i]! * axMean)),
    dWeight: Float64Array.from(dy, (v, i) => v * normal[i]!),
    dBias: Float64Array.from(dy),
  };
}

Deno.test("the reference of layerNormBackward() is the slope of its outputs", () => {
  const random = uniform(36);
  const x = numbers(random, 7), weight = numbers(random, 7), dy = numbers(random, 7);
  const loss = (at: Float64Array) => {
    const mean = sumOf(at) / 7;
    const r = 1 / Math.sqrt(sumOf(at.map((v) => (v - mean) ** 2)) / 7 + 0.01);
    return sumOf(at.map((v, i) => (v - mean) * r * weight[i]! * dy[i]!));
  };
  const { dx } = reference(x, weight, dy, 0.01);
  const slopes = Float32Array.from(dx, (_, i) => {
    const [more, less] = [1e-4, -1e-4].map((h) =>
      loss(Float64Array.from(x, (v, j) => v + (i === j ? h : 0)))
    );
    return (more! - less!) / 2e-4;
  });
  assertClose(slopes, dx, 1e-6);
});
