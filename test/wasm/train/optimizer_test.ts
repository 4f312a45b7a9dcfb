import { assertAlmostEquals } from "@std/assert";
import { uniform } from "../../random.ts";
import { assertClose, assertSameBits, integer, numbers, sumOf } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";
import { matrix, times, transposed } from "./matrices.ts";

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: stepAdamW() makes PyTorch's steps, with and without an average`, () => {
    const random = uniform(39);
    for (const count of [4, 8, 12, 36, 100]) {
      for (const hasAverage of [true, false]) {
        const instance = new TrainInstance(build);
        const start = numbers(random, count);
        const put = (data: Float32Array) => instance.guardedRows(data, count, 4 * count);
        const p = put(start), average = put(start);
        const m = put(new Float32Array(count)), v = put(new Float32Array(count));
        const wide = {
          p: Float64Array.from(start),
          average: Float64Array.from(start),
          m: new Float64Array(count),
          v: new Float64Array(count),
        };
        for (let step = 1; step <= 5; step++) {
          const gradients = numbers(random, count, 10 ** integer(random, -3, 1));
          const hyper = {
            beta1: 0.8,
            beta2: 0.95,
            epsilon: 1e-3,
            clip: 0.5 + random(),
            decay: 0.9,
            learningRate: 0.01 * random(),
            weightDecay: random(),
          };
          const correction1 = 1 - hyper.beta1 ** step;
          const correction2 = Math.sqrt(1 - hyper.beta2 ** step);
          const settings = instance.putStruct("AdamW", { ...hyper, correction1, correction2 });
          const { learningRate, weightDecay } = hyper;
          const g = put(gradients);
          const to = hasAverage ? average : 0;
          instance.kernels.stepAdamW(settings, p, g, m, v, to, count, learningRate, weightDecay);
          assertSameBits(instance.take(g, count), gradients, "the gradients");
          stepReference(wide, gradients, hyper, step);
        }
        if (!hasAverage) wide.average.set(start);
        assertClose(instance.take(p, count), wide.p, 1e-6, "p");
        assertClose(instance.take(m, count), wide.m, 1e-6, "m");
        assertClose(instance.take(v, count), wide.v, 1e-6, "v");
        assertClose(instance.take(average, count), wide.average, 1e-6, "average");
      }
    }
  });

  Deno.test(`${build} kernels: reduceGradients() adds threads in order, and their sum's squares`, () => {
    const random = uniform(40);
    for (const threads of [1, 2, 3, 7]) {
      for (const count of [4, 8, 12, 64, 100]) {
        const instance = new TrainInstance(build);
        const rows = numbers(random, threads * count, 100);
        const stride = 4 * count + 4;
        const place = instance.guardedRows(rows, count, stride);
        const squares = instance.kernels.reduceGradients(place, stride, threads, count);
        const sum = rows.slice(0, count);
        for (let thread = 1; thread < threads; thread++) {
          for (let i = 0; i < count; i++) sum[i]! += rows[thread * count + i]!;
        }
        const all = instance.take(place, threads * (count + 1));
        assertSameBits(all.slice(0, count), sum);
        for (let thread = 1; thread < threads; thread++) {
          const at = thread * (count + 1);
          assertSameBits(
            all.slice(at, at + count),
            rows.slice(thread * count, (thread + 1) * count),
            `thread ${thread}`,
          );
        }
        const expected = sumOf(Float64Array.from(sum, (x) => x * x));
        assertAlmostEquals(squares, expected, 1e-12 * expected);
      }
    }
  });

  Deno.test(`${build} kernels: mergeLora() and loraGradients() of any shape, and nothing further`, () => {
    const random = uniform(41);
    for (let i = 0; i < 100; i++) {
      const instance = new TrainInstance(build);
      const inputs = integer(random, 1, 40), outputs = integer(random, 1, 40);
      const rank = integer(random, 1, 9), scale = 0.5 + random();
      const frozen = numbers(random, outputs * inputs), dW = numbers(random, outputs * inputs);
      const a = matrix(numbers(random, rank * inputs), rank);
      const b = matrix(numbers(random, outputs * rank), outputs);
      const [atA, atB] = [
        instance.put(a.data as Float32Array),
        instance.put(b.data as Float32Array),
      ];
      const message = `${outputs} × ${inputs}, rank ${rank}`;

      const weight = instance.guarded(4 * frozen.length);
      const from = instance.put(frozen);
      instance.kernels.mergeLora(from, atA, atB, outputs, inputs, rank, scale, weight);
      const merged = times(b, a).data.map((x, j) => frozen[j]! + scale * x);
      assertClose(instance.take(weight, frozen.length), merged, 1e-6, message);
      assertSameBits(instance.arena.floats(from, frozen.length).slice(), frozen, "frozen");

      const dA = instance.guarded(4 * rank * inputs), dB = instance.guarded(4 * outputs * rank);
      const gradient = instance.put(dW);
      instance.kernels.loraGradients(
        gradient,
        atA,
        atB,
        outputs,
        inputs,
        rank,
        scale,
        dA,
        dB,
      );
      const d = matrix(dW, outputs);
      const wantedA = times(transposed(b), d).data.map((x) => scale * x);
      const wantedB = times(d, transposed(a)).data.map((x) => scale * x);
      assertClose(instance.take(dA, rank * inputs), wantedA, 1e-5, `dA, ${message}`);
      assertClose(instance.take(dB, outputs * rank), wantedB, 1e-5, `dB, ${message}`);
    }
  });
}

/** A step in double precision. */
function stepReference(
  { p, m, v, average }: Record<"p" | "m" | "v" | "average", Float64Array>,
  gradients: Float32Array,
  { beta1, beta2, epsilon, clip, decay, learningRate, weightDecay }: Readonly<
    Record<
      "beta1" | "beta2" | "epsilon" | "clip" | "decay" | "learningRate" | "weightDecay",
      number
    >
  >,
  step: number,
): void {
  for (let i = 0; i < p.length; i++) {
    const g = gradients[i]! * clip;
    m[i] = beta1 * m[i]! + (1 - beta1) * g;
    v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
    const mean = m[i]! / (1 - beta1 ** step), square = v[i]! / (1 - beta2 ** step);
    p[i] = p[i]! * (1 - learningRate * weightDecay) -
      learningRate * mean / (Math.sqrt(square) + epsilon);
    average[i] = decay * average[i]! + (1 - decay) * p[i]!;
  }
}
