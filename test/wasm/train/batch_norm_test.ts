import type { Tensor } from "../../../src/tensor/tensor.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { GUARD } from "../instance.ts";
import { assertClose, integer, numbers, padded, sumOf } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";

const TOLERANCE = 1e-5;
/** As f32 has them. */
const EPSILON = Math.fround(1e-5), MOMENTUM = Math.fround(0.1);

/** A batch, and what the kernels add to or move. */
interface Batch {
  readonly rows: number;
  /** [rows][features] */
  readonly x: Float32Array;
  readonly dy: Float32Array;
  /** [features] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly dWeight: Float32Array;
  readonly dBias: Float32Array;
  readonly runningMean: Float32Array;
  readonly runningVariance: Float32Array;
}

/** The vectors over features that the kernels change. */
const CHANGED = ["dWeight", "dBias", "runningMean", "runningVariance"] as const;

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: batchNorm() of any shape, and its backward, change their columns alone`, () => {
    const random = uniform(61);
    for (let i = 0; i < 80; i++) {
      const features = 4 * integer(random, 1, 12);
      const start = 4 * integer(random, 0, features / 4 - 1);
      const end = 4 * integer(random, start / 4 + 1, features / 4);
      const rows = i === 0 ? 2 : i === 1 ? 50 : integer(random, 2, 50);
      const size = 10 ** integer(random, -1, 1);
      const batch = randomBatch(random, rows, features, size);
      const what = `${rows} × ${features}, columns ${start} to ${end - 1}`;
      const actual = batchNorm(build, batch, start, end);
      for (let c = 0; c < features; c++) {
        const isOwn = c >= start && c < end;
        const expected = reference(batch, c);
        const at = `${what}: column ${c}`;
        // Rounding grows with the ratio of the mean to the deviation.
        const ratio = 1 + expected.scale * size;
        for (const name of ["y", "dx"] as const) {
          const column = Float32Array.from(
            { length: rows },
            (_, row) => actual[name][row * features + c]!,
          );
          const before = Array.from(
            { length: rows },
            (_, row) => name === "y" ? GUARD : batch.dy[row * features + c]!,
          );
          const tolerance = TOLERANCE * ratio * (name === "dx" ? 1 + expected.scale : 1);
          if (isOwn) assertClose(column, expected[name], tolerance, `${name} of ${at}`);
          else assertClose(column, before, 0, `${name} of ${at}`);
        }
        for (const name of ["mean", "scale"] as const) {
          const wanted = isOwn ? expected[name] : GUARD;
          assertClose(
            actual[name].slice(c, c + 1),
            [wanted],
            TOLERANCE * ratio,
            `${name} of ${at}`,
          );
        }
        for (const name of CHANGED) {
          const wanted = isOwn ? expected[name] : batch[name][c]!;
          const tolerance = isOwn ? TOLERANCE * ratio * rows : 0;
          assertClose(actual[name].slice(c, c + 1), [wanted], tolerance, `${name} of ${at}`);
        }
      }
    }
  });

  Deno.test(`${build} kernels: batchNorm() and its backward are what PyTorch computes`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    const [rows, features] = ops.get("batch_norm.x")!.shape as [number, number];
    const wide = padded(features, 4);
    /** With columns of zeros up to a multiple of 4. */
    const of = (name: string) => {
      const { data } = ops.get(`batch_norm.${name}`) as Tensor<"float32">;
      const all = new Float32Array(data.length / features * wide);
      data.forEach((v, i) => all[Math.floor(i / features) * wide + i % features] = v);
      return all;
    };
    const { y, dx, dWeight, dBias, runningMean, runningVariance } = batchNorm(
      build,
      {
        rows,
        x: of("x"),
        dy: of("dy"),
        weight: of("weight"),
        bias: of("bias"),
        dWeight: new Float32Array(wide),
        dBias: new Float32Array(wide),
        runningMean: of("running_mean"),
        runningVariance: of("running_var"),
      },
      0,
      wide,
    );
    assertClose(y, of("y"), 2e-6, "y");
    assertClose(dx, of("d_x"), 2e-6, "dx");
    assertClose(dWeight, of("d_weight"), 2e-6, "dWeight");
    assertClose(dBias, of("d_bias"), 2e-6, "dBias");
    assertClose(runningMean, of("running_mean_after"), 1e-6, "running mean");
    const own = (numbers: Float32Array) => numbers.slice(0, features);
    assertClose(own(runningVariance), own(of("running_var_after")), 1e-6, "running variance");
  });
}

function randomBatch(random: () => number, rows: number, features: number, size: number): Batch {
  const vector = () => numbers(random, features);
  return {
    rows,
    x: numbers(random, rows * features, size).map((v) => v + size),
    dy: numbers(random, rows * features),
    weight: vector(),
    bias: vector(),
    dWeight: vector(),
    dBias: vector(),
    runningMean: vector(),
    runningVariance: vector(),
  };
}

/** The kernels one after the other, on columns `start` to `end` - 1. */
function batchNorm(
  build: typeof TRAIN_BUILDS[number],
  batch: Batch,
  start: number,
  end: number,
) {
  const instance = new TrainInstance(build);
  const { kernels } = instance;
  const { rows, x, dy } = batch;
  const features = x.length / rows;
  const stride = 4 * features + 20;
  const vector = (data: Float32Array) => instance.guardedRows(data, features, 4 * features);
  const changed = {
    dWeight: vector(batch.dWeight),
    dBias: vector(batch.dBias),
    runningMean: vector(batch.runningMean),
    runningVariance: vector(batch.runningVariance),
  };
  const norm = instance.putStruct("BatchNorm", {
    weight: instance.put(batch.weight),
    bias: instance.put(batch.bias),
    epsilon: EPSILON,
    momentum: MOMENTUM,
    ...changed,
  });
  const inputs = instance.putRows(x, features, stride);
  const outputs = instance.guarded(rows * stride);
  const gradient = instance.guardedRows(dy, features, stride);
  const [mean, scale] = [instance.guarded(4 * features), instance.guarded(4 * features)];
  kernels.batchStatistics(norm, inputs, stride, rows, start, end, mean, scale);
  kernels.batchNorm(norm, inputs, stride, rows, start, end, mean, scale, outputs);
  kernels.batchNormBackward(norm, inputs, stride, rows, start, end, mean, scale, gradient);
  const take = (place: number) => instance.take(place, features);
  const takeRows = (place: number) => instance.takeRows(place, rows, features, stride);
  return {
    y: takeRows(outputs),
    dx: takeRows(gradient),
    mean: take(mean),
    scale: take(scale),
    dWeight: take(changed.dWeight),
    dBias: take(changed.dBias),
    runningMean: take(changed.runningMean),
    runningVariance: take(changed.runningVariance),
  };
}

/** A column in double precision. */
function reference(batch: Batch, column: number) {
  const { rows } = batch;
  const features = batch.x.length / rows;
  const of = (data: Float32Array) =>
    Float64Array.from({ length: rows }, (_, row) => data[row * features + column]!);
  const x = of(batch.x), dy = of(batch.dy);
  const weight = batch.weight[column]!, bias = batch.bias[column]!;
  const mean = sumOf(x) / rows;
  const squares = sumOf(x.map((v) => (v - mean) ** 2));
  const scale = 1 / Math.sqrt(squares / rows + EPSILON);
  const normal = x.map((v) => (v - mean) * scale);
  const sum = sumOf(dy), product = sumOf(dy.map((v, i) => v * normal[i]!));
  const moved = (before: number, now: number) => before + MOMENTUM * (now - before);
  return {
    mean,
    scale,
    y: normal.map((v) => weight * v + bias),
    dx: dy.map((v, i) => weight * scale * (v - sum / rows - normal[i]! * product / rows)),
    dWeight: batch.dWeight[column]! + product,
    dBias: batch.dBias[column]! + sum,
    runningMean: moved(batch.runningMean[column]!, mean),
    runningVariance: moved(batch.runningVariance[column]!, squares / (rows - 1)),
  };
}

Deno.test("the reference of batchNormBackward() is the slope of its outputs", () => {
  const rows = 7, features = 3, column = 1;
  const batch = randomBatch(uniform(62), rows, features, 1);
  const loss = (changed: Batch) =>
    sumOf(reference(changed, column).y.map((v, row) => v * batch.dy[row * features + column]!));
  /** The slope with one number of the batch moved, by what f32 makes of the step. */
  const slope = (name: "x" | "weight" | "bias", i: number) => {
    const [more, less] = [2 ** -9, -(2 ** -9)].map((h) => {
      const data = batch[name].slice();
      data[i]! += h;
      return { at: data[i]!, loss: loss({ ...batch, [name]: data }) };
    });
    return (more!.loss - less!.loss) / (more!.at - less!.at);
  };
  const { dx, dWeight, dBias } = reference(batch, column);
  const slopes = Float32Array.from(dx, (_, row) => slope("x", row * features + column));
  assertClose(slopes, dx, 1e-4);
  const before = [batch.dWeight[column]!, batch.dBias[column]!] as const;
  assertClose(Float32Array.of(slope("weight", column)), [dWeight - before[0]], 1e-5);
  assertClose(Float32Array.of(slope("bias", column)), [dBias - before[1]], 1e-5);
});
