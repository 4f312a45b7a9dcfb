import { Activation, STRUCTS } from "../../../src/train/engine/structs.ts";
import { putLinear } from "../../../src/train/engine/model_memory.ts";
import { writeFields } from "../../../src/runtime/simd/write_struct.ts";
import { uniform } from "../../random.ts";
import { ACTIVATIONS } from "../activations.ts";
import { assertClose, assertSameBits, integer, numbers, padded, sumOf } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";
import { matrix, times, transposed } from "./matrices.ts";

const TOLERANCE = 1e-5;
/** A step to both sides of what is activated. */
const STEP = 1e-5;
/** Of the slopes of the kernel's erfc. */
const SLOPE_TOLERANCE = 1e-5;
const [, , gelu] = ACTIVATIONS.find(([activation]) => activation === Activation.GELU)!;

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: applyRows() of several threads gives the bits of one`, () => {
    const random = uniform(81);
    for (let i = 0; i < 40; i++) {
      const shape = randomShape(random);
      const { rows, inputs, outputs } = shape;
      const x = numbers(random, rows * inputs);
      const layer = randomLayer(random, shape);
      const ends = cuts(random, rows, 1);
      const [all, shared] = [[rows], ends].map((ends) => {
        const { instance, struct } = putLayer(build, layer, shape);
        const width = padded(outputs, 8);
        const stride = 4 * inputs + 4, outStride = 4 * width + 4;
        const from = instance.putRows(x, inputs, stride);
        const out = instance.guarded(rows * outStride);
        forEachRange(ends, (start, end) =>
          instance.kernels.applyRows(
            struct,
            from,
            stride,
            start,
            end,
            out,
            outStride,
            instance.putScratch(),
          ));
        return instance.take(out, rows * outStride / 4);
      }) as [Float32Array, Float32Array];
      const what = `${rows} × ${inputs} × ${outputs}, shared at ${ends}`;
      assertSameBits(shared, all, what);
      const expected = times(matrix(x, rows), transposed(matrix(layer.weight, outputs))).data
        .map((v, i) => v + layer.bias[i % outputs]!);
      const own = all.filter((_, i) => i % (padded(outputs, 8) + 1) < outputs);
      assertClose(own, expected, TOLERANCE, what);
    }
  });

  Deno.test(`${build} kernels: inputGradientRows() of several threads gives the bits of one`, () => {
    const random = uniform(82);
    for (let i = 0; i < 40; i++) {
      const shape = randomShape(random);
      const { rows, inputs, outputs } = shape;
      const dy = numbers(random, rows * outputs);
      const layer = randomLayer(random, shape);
      const ends = cuts(random, rows, 1);
      const [all, shared] = [[rows], ends].map((ends) => {
        const { instance, struct } = putLayer(build, layer, shape);
        const width = padded(inputs, 8);
        const stride = 4 * outputs + 4, outStride = 4 * width + 4;
        const from = instance.putRows(dy, outputs, stride);
        const out = instance.guarded(rows * outStride);
        forEachRange(ends, (start, end) =>
          instance.kernels.inputGradientRows(
            struct,
            from,
            stride,
            start,
            end,
            out,
            outStride,
            instance.putScratch(),
          ));
        return instance.take(out, rows * outStride / 4);
      }) as [Float32Array, Float32Array];
      const what = `${rows} × ${outputs} × ${inputs}, shared at ${ends}`;
      assertSameBits(shared, all, what);
      const expected = times(matrix(dy, rows), matrix(layer.weight, outputs)).data;
      const own = all.filter((_, i) => i % (padded(inputs, 8) + 1) < inputs);
      assertClose(own, expected, TOLERANCE, what);
    }
  });

  Deno.test(`${build} kernels: outputGradients() of several threads adds the bits of one`, () => {
    const random = uniform(83);
    for (let i = 0; i < 40; i++) {
      const shape = randomShape(random);
      const { rows, inputs, outputs } = shape;
      const x = numbers(random, rows * inputs), dy = numbers(random, rows * outputs);
      const sums = { weight: numbers(random, outputs * inputs), bias: numbers(random, outputs) };
      const ends = cuts(random, outputs, 16);
      const isFrozen = i % 8 === 7;
      const [all, shared] = [[outputs], ends].map((ends) => {
        const { instance, struct } = putLayer(build, randomLayer(random, shape), shape);
        const dWeight = instance.guardedRows(sums.weight, inputs, 4 * inputs);
        const dBias = instance.guardedRows(sums.bias, outputs, 4 * outputs);
        writeFields(instance.arena, STRUCTS.TrainedLinear, struct, {
          dWeight: isFrozen ? 0 : dWeight,
          dBias: isFrozen ? 0 : dBias,
        });
        const stride = 4 * inputs + 4;
        // Blocks of sixteen columns are read.
        const dyStride = 4 * padded(outputs, 16);
        const gradient = instance.putRows(dy, outputs, dyStride);
        const from = instance.putRows(x, inputs, stride);
        forEachRange(ends, (start, end) =>
          instance.kernels.outputGradients(
            struct,
            gradient,
            dyStride,
            from,
            stride,
            rows,
            start,
            end,
            instance.putStruct("GradientScratch", {
              panels: instance.poisoned(4 * padded(inputs, 8) * rows),
              block: instance.poisoned(64 * rows),
              spare: instance.poisoned(128),
              progress: instance.poisoned(4),
            }),
          ));
        return {
          dWeight: instance.take(dWeight, outputs * inputs),
          dBias: instance.take(dBias, outputs),
        };
      }) as [Gradients, Gradients];
      const what = `${rows} × ${inputs} × ${outputs}, shared at ${ends}`;
      assertSameBits(shared.dWeight, all.dWeight, what);
      assertSameBits(shared.dBias, all.dBias, what);
      const own = times(transposed(matrix(dy, rows)), matrix(x, rows)).data;
      const share = isFrozen ? 0 : 1;
      const dWeight = sums.weight.map((v, i) => v + share * own[i]!);
      const dBias = sums.bias.map((v, output) =>
        v + share * sumOf(dy.filter((_, i) => i % outputs === output))
      );
      assertClose(all.dWeight, dWeight, TOLERANCE, what);
      assertClose(all.dBias, dBias, TOLERANCE, what);
    }
  });

  for (const usesNorm of [false, true]) {
    const title = usesNorm ? "with BatchNorm" : "without BatchNorm";
    Deno.test(`${build} kernels: activateColumns() ${title} and its backward, of several threads, give the bits of one`, () => {
      const random = uniform(84);
      for (let i = 0; i < 40; i++) {
        const rows = integer(random, 2, 20), features = 8 * integer(random, 1, 9);
        const vector = () => numbers(random, features);
        const batch: Batch = {
          rows,
          x: numbers(random, rows * features, 3),
          dy: numbers(random, rows * features),
          norm: usesNorm
            ? {
              weight: vector(),
              bias: vector(),
              dWeight: vector(),
              dBias: vector(),
              runningMean: vector(),
              runningVariance: vector(),
            }
            : undefined,
        };
        const ends = cuts(random, features, 8);
        const all = activateColumns(build, batch, [features]);
        const shared = activateColumns(build, batch, ends);
        const what = `${rows} × ${features}, shared at ${ends}`;
        for (const [name, numbers] of Object.entries(all)) {
          assertSameBits(shared[name]!, numbers, `${name} of ${what}`);
        }
        // The kernel's part of what is activated was tested on its own.
        const z = all.normal ?? batch.x;
        assertClose(all.out!, Float64Array.from(z, gelu), TOLERANCE, `outputs of ${what}`);
        if (usesNorm) continue;
        const slopes = Float64Array.from(
          z,
          (v, i) => batch.dy[i]! * (gelu(v + STEP) - gelu(v - STEP)) / (2 * STEP),
        );
        assertClose(all.dx!, slopes, SLOPE_TOLERANCE, `gradients of ${what}`);
      }
    });
  }

  Deno.test(`${build} kernels: activateColumnsBackward() is the slope of activateColumns()`, () => {
    const random = uniform(85);
    const rows = 6, features = 16;
    const vector = () => numbers(random, features);
    const norm = {
      weight: vector().map((v) => v + 2),
      bias: vector(),
      dWeight: new Float32Array(features),
      dBias: new Float32Array(features),
      runningMean: vector(),
      runningVariance: vector(),
    };
    const batch = {
      rows,
      x: numbers(random, rows * features, 3),
      dy: numbers(random, rows * features),
      norm,
    };
    const { dx, dWeight, dBias } = activateColumns(build, batch, [8, 16]);
    const loss = (changed: Batch) =>
      sumOf(activateColumns(build, changed, [16]).out!.map((v, i) => v * batch.dy[i]!));
    const slope = (change: (h: number) => Batch) => {
      const h = 2 ** -6;
      return (loss(change(h)) - loss(change(-h))) / (2 * h);
    };
    const moved = (data: Float32Array, i: number, h: number) =>
      data.map((v, j) => i === j ? v + h : v);
    const slopes = {
      dx: Float32Array.from(
        batch.x,
        (_, i) => slope((h) => ({ ...batch, x: moved(batch.x, i, h) })),
      ),
      dWeight: Float32Array.from(
        norm.weight,
        (_, i) => slope((h) => ({ ...batch, norm: { ...norm, weight: moved(norm.weight, i, h) } })),
      ),
      dBias: Float32Array.from(
        norm.bias,
        (_, i) => slope((h) => ({ ...batch, norm: { ...norm, bias: moved(norm.bias, i, h) } })),
      ),
    };
    assertClose(slopes.dx, dx!, 3e-3, "dx");
    assertClose(slopes.dWeight, dWeight!, 3e-3, "dWeight");
    assertClose(slopes.dBias, dBias!, 3e-3, "dBias");
  });
}

/** What is added to. */
interface Gradients {
  readonly dWeight: Float32Array;
  readonly dBias: Float32Array;
}

/** A layer's sizes and a batch's rows. */
interface Shape {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** [outputs][inputs] and [outputs] */
interface Layer {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** A batch of rows, as {@linkcode activateColumns} takes it. */
interface Batch {
  readonly rows: number;
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly norm:
    | Readonly<
      Record<
        "weight" | "bias" | "dWeight" | "dBias" | "runningMean" | "runningVariance",
        Float32Array
      >
    >
    | undefined;
}

function randomShape(random: () => number): Shape {
  return {
    rows: integer(random, 1, 130),
    inputs: integer(random, 1, 40),
    outputs: integer(random, 1, 70),
  };
}

function randomLayer(random: () => number, { inputs, outputs }: Shape): Layer {
  return { weight: numbers(random, outputs * inputs), bias: numbers(random, outputs) };
}

/** The ends of up to four ranges that cover all, of which inner ones are multiples. */
function cuts(random: () => number, count: number, multiple: number): number[] {
  const inner = Array.from(
    { length: 3 },
    () => multiple * integer(random, 0, Math.floor(count / multiple)),
  );
  return [...new Set([...inner, count])].filter((end) => end > 0).sort((a, b) => a - b);
}

/** Calls for each range from one end to the next; the last range is first. */
function forEachRange(ends: readonly number[], call: (start: number, end: number) => void): void {
  for (let i = ends.length - 1; i >= 0; i--) call(ends[i - 1] ?? 0, ends[i]!);
}

/** A packed layer. */
function putLayer(
  build: typeof TRAIN_BUILDS[number],
  { weight, bias }: Layer,
  { inputs, outputs }: Shape,
): { instance: TrainInstance; struct: number } {
  const instance = new TrainInstance(build);
  const { struct } = putLinear(instance.arena, "layer", outputs, inputs, { needsBackward: true });
  instance.kernels.repack(struct, instance.put(weight), instance.put(bias));
  return { instance, struct };
}

/** The kernel and its backward on ranges of columns that end there. */
function activateColumns(
  build: typeof TRAIN_BUILDS[number],
  { rows, x, dy, norm }: Batch,
  ends: readonly number[],
): Record<string, Float32Array> {
  const instance = new TrainInstance(build);
  const features = x.length / rows;
  const stride = 4 * features + 4;
  const vector = (data: Float32Array) => instance.guardedRows(data, features, 4 * features);
  const changed = norm && {
    dWeight: vector(norm.dWeight),
    dBias: vector(norm.dBias),
    runningMean: vector(norm.runningMean),
    runningVariance: vector(norm.runningVariance),
  };
  const struct = norm
    ? instance.putStruct("BatchNorm", {
      weight: instance.put(norm.weight),
      bias: instance.put(norm.bias),
      epsilon: 1e-5,
      momentum: 0.1,
      ...changed,
    })
    : 0;
  const inputs = instance.putRows(x, features, stride);
  const [outputs, renewed] = [instance.guarded(rows * stride), instance.guarded(rows * stride)];
  const gradient = instance.guardedRows(dy, features, stride);
  const [mean, scale] = [instance.guarded(4 * features), instance.guarded(4 * features)];
  const { kernels } = instance;
  forEachRange(
    ends,
    (start, end) =>
      kernels.activateColumns(struct, inputs, stride, rows, start, end, mean, scale, outputs),
  );
  forEachRange(ends, (start, end) =>
    kernels.activateColumnsBackward(
      struct,
      inputs,
      stride,
      rows,
      start,
      end,
      mean,
      scale,
      renewed,
      gradient,
    ));
  const takeRows = (place: number) => instance.takeRows(place, rows, features, stride);
  const results: Record<string, Float32Array> = { out: takeRows(outputs), dx: takeRows(gradient) };
  takeRows(renewed);
  if (!changed) return results;
  for (const [name, place] of Object.entries(changed)) {
    results[name] = instance.take(place, features);
  }
  const normal = instance.guarded(rows * stride);
  kernels.batchNorm(struct, inputs, stride, rows, 0, features, mean, scale, normal);
  return { ...results, normal: takeRows(normal) };
}
