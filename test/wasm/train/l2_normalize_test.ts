import { assert } from "@std/assert";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { GUARD } from "../instance.ts";
import { assertClose, assertSameBits, integer, numbers, sumOf } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";

const TOLERANCE = 1e-6;
const EPSILON = 1e-12;

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: l2Normalize() of any rows, and its backward, change these alone`, () => {
    const random = uniform(63);
    for (let i = 0; i < 100; i++) {
      const rows = integer(random, 1, 9), width = integer(random, 1, 70);
      const start = integer(random, 0, rows - 1), end = integer(random, start + 1, rows);
      const size = 10 ** integer(random, -3, 3);
      const x = numbers(random, rows * width, size), dy = numbers(random, rows * width);
      const what = `${width} wide, rows ${start} to ${end - 1} of ${rows}`;
      const actual = l2Normalize(build, x, dy, rows, start, end);
      for (let row = 0; row < rows; row++) {
        const own = (data: Float32Array) => data.slice(row * width, (row + 1) * width);
        const isOwn = row >= start && row < end;
        const { y, scale, dx } = reference(own(x), own(dy));
        const wanted = (values: Float64Array) =>
          isOwn ? values : new Float64Array(width).fill(GUARD);
        const at = `of ${what}: row ${row}`;
        assertClose(own(actual.y), wanted(y), TOLERANCE, `y ${at}`);
        assertClose(own(actual.dx), wanted(dx), TOLERANCE * (1 + scale), `dx ${at}`);
        const scales = [isOwn ? scale : GUARD];
        assertClose(actual.scales.slice(row, row + 1), scales, TOLERANCE, `scale ${at}`);
      }
    }
  });

  Deno.test(`${build} kernels: l2NormalizeBackward() in place gives the same bits`, () => {
    for (const width of [1, 3, 4, 16, 37]) {
      const x = numbers(uniform(width), 5 * width), dy = numbers(uniform(width + 1), 5 * width);
      const apart = l2Normalize(build, x, dy, 5, 0, 5);
      assertSameBits(l2Normalize(build, x, dy, 5, 0, 5, true).dx, apart.dx, `${width} wide`);
    }
  });

  Deno.test(`${build} kernels: l2Normalize() of zeros divides by 1e-12`, () => {
    const dy = Float32Array.of(1, -2, 3, 4, 5, 6);
    const x = Float32Array.of(0, 0, 0, 0, 3, -4);
    const { y, scales, dx } = l2Normalize(build, x, dy, 2, 0, 2);
    assertClose(y, [0, 0, 0, 0, 0.6, -0.8], TOLERANCE);
    assertClose(scales, [1e12, 0.2], TOLERANCE);
    assertClose(dx.slice(0, 3), [1e12, -2e12, 3e12], TOLERANCE);
  });

  Deno.test(`${build} kernels: l2Normalize() of numbers whose squares are not f32 has length 1`, () => {
    for (const size of [1e-30, 1e30]) {
      const x = Float32Array.of(3 * size, -4 * size);
      const { y } = l2Normalize(build, x, x, 1, 0, 1);
      // Norms below 1e-12 count as this one.
      const length = Math.min(1, 5 * size / EPSILON);
      assertClose(y, [0.6 * length, -0.8 * length], TOLERANCE);
    }
  });

  Deno.test(`${build} kernels: l2Normalize() and its backward are what PyTorch computes`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    const of = (name: string) => (ops.get(`l2_normalize.${name}`) as Tensor<"float32">).data;
    const rows = ops.get("l2_normalize.x")!.shape[0]!;
    const { y, dx, scales } = l2Normalize(build, of("x"), of("dy"), rows, 0, rows);
    assertClose(y, of("y"), TOLERANCE, "y");
    const width = y.length / rows;
    for (let row = 0; row < rows; row++) {
      const own = (data: Float32Array) => data.slice(row * width, (row + 1) * width);
      // y is rounded to f32, and the difference of dy and its share along y is scaled.
      assertClose(own(dx), own(of("d_x")), TOLERANCE * (1 + scales[row]!), `dx of row ${row}`);
    }
  });
}

/** Both kernels on rows `start` to `end` - 1. */
function l2Normalize(
  build: typeof TRAIN_BUILDS[number],
  x: Float32Array,
  dy: Float32Array,
  rows: number,
  start: number,
  end: number,
  inPlace = false,
) {
  const instance = new TrainInstance(build);
  const width = x.length / rows, stride = 4 * width + 8;
  const inputs = instance.putRows(x, width, stride);
  const outputs = instance.guarded(rows * stride), scales = instance.guarded(4 * rows);
  instance.kernels.l2Normalize(inputs, stride, start, end, width, outputs, scales);
  const gradient = instance.guardedRows(dy, width, stride);
  const result = inPlace ? gradient : instance.guarded(rows * stride);
  const { kernels } = instance;
  kernels.l2NormalizeBackward(outputs, stride, start, end, width, scales, gradient, result);
  const takeRows = (place: number) => instance.takeRows(place, rows, width, stride);
  return { y: takeRows(outputs), dx: takeRows(result), scales: instance.take(scales, rows) };
}

/** A row in double precision. */
function reference(x: ArrayLike<number>, dy: ArrayLike<number>) {
  const wide = Float64Array.from(x);
  const scale = 1 / Math.max(Math.sqrt(sumOf(wide.map((v) => v * v))), EPSILON);
  const y = wide.map((v) => v * scale);
  const along = sumOf(y.map((v, i) => v * dy[i]!));
  return { y, scale, dx: y.map((v, i) => (dy[i]! - v * along) * scale) };
}

Deno.test("the reference of l2NormalizeBackward() is the slope of its outputs", () => {
  const x = Float64Array.from(numbers(uniform(64), 7)), dy = numbers(uniform(65), 7);
  const loss = (at: Float64Array) => sumOf(reference(at, dy).y.map((v, i) => v * dy[i]!));
  reference(x, dy).dx.forEach((wanted, i) => {
    const [more, less] = [1e-5, -1e-5].map((h) => loss(x.map((v, j) => v + (i === j ? h : 0))));
    const slope = (more! - less!) / 2e-5;
    assert(Math.abs(slope - wanted) < 1e-8, `${slope} instead of ${wanted}`);
  });
});
