import { assertEquals } from "@std/assert";
import { Activation } from "../../../src/train/engine/structs.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { ACTIVATIONS } from "../activations.ts";
import { assertClose, numbers, padded } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";

/** Abramowitz and Stegun's erfc is right within 1.5e-7; the slope has x times that. */
const TOLERANCE = 2e-6;
const STEP = 1e-5;

for (const build of TRAIN_BUILDS) {
  for (const [activation, name, f] of ACTIVATIONS) {
    Deno.test(`${build} kernels: activateBackward() gives ${name} and its slope from -8 to 8`, () => {
      const x = Float32Array.from({ length: 16_004 }, (_, i) => (i - 8002) / 1000.25 + 1e-4);
      const dy = numbers(uniform(activation), x.length);
      const { out, dx } = activateBackward(build, activation, x, dy);
      assertClose(out, Float64Array.from(x, f), TOLERANCE, "out");
      const slopes = Float64Array.from(
        x,
        (v, i) => dy[i]! * (f(v + STEP) - f(v - STEP)) / (2 * STEP),
      );
      assertClose(dx, slopes, TOLERANCE, "slope");
    });

    Deno.test(`${build} kernels: activateBackward() of ${name} in place gives the same bits`, () => {
      for (const count of [4, 8, 36, 40]) {
        const x = numbers(uniform(count), count, 4), dy = numbers(uniform(count + 1), count);
        assertEquals(
          activateBackward(build, activation, x, dy, true),
          activateBackward(build, activation, x, dy),
        );
      }
    });

    Deno.test(`${build} kernels: activateBackward() of ${name} keeps NaN, and large numbers finite`, () => {
      const x = Float32Array.of(NaN, 1, 50, -50, 1e4, -1e4, 0, -0);
      const { out, dx } = activateBackward(build, activation, x, new Float32Array(8).fill(1));
      assertEquals(out[0], NaN);
      assertClose(out.subarray(2, 6).slice(), [50, 0, 1e4, 0], 1e-6);
      assertClose(dx.subarray(2, 6).slice(), [1, 0, 1, 0], 1e-6);
    });
  }

  Deno.test(`${build} kernels: activateBackward() of GELU is what PyTorch computes`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    const of = (name: string) => (ops.get(`gelu.${name}`) as Tensor<"float32">).data;
    const count = of("input").length;
    const whole = (name: string) => {
      const all = new Float32Array(padded(count, 4));
      all.set(of(name));
      return all;
    };
    const { out, dx } = activateBackward(build, Activation.GELU, whole("input"), whole("dy"));
    assertClose(out.slice(0, count), of("y"), TOLERANCE);
    assertClose(dx.slice(0, count), of("d_input"), TOLERANCE);
  });
}

function activateBackward(
  build: typeof TRAIN_BUILDS[number],
  activation: number,
  x: Float32Array,
  dy: Float32Array,
  inPlace = false,
): { out: Float32Array; dx: Float32Array } {
  const instance = new TrainInstance(build);
  const count = x.length;
  const out = inPlace ? instance.guardedRows(x, count, 4 * count) : instance.guarded(4 * count);
  const gradient = instance.guardedRows(dy, count, 4 * count);
  const from = inPlace ? out : instance.put(x);
  instance.kernels.activateBackward(activation, from, count, out, gradient);
  return { out: instance.take(out, count), dx: instance.take(gradient, count) };
}
