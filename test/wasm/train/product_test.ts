import { Tile } from "../../../src/train/engine/structs.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { GUARD } from "../instance.ts";
import { assertClose, integer, numbers, padded } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance, withGuards } from "./instance.ts";
import { type Matrix, matrix, times, transposed } from "./matrices.ts";

const TOLERANCE = 1e-5;

/** How a product goes on. */
interface Options {
  readonly bias?: Float32Array;
  /** [rows][padded columns], what is added to. */
  readonly sum?: Float32Array;
}

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: product() of any shape, with a bias or added, and not a number further`, () => {
    const random = uniform(31);
    const rowCounts = [1, 2, 3, 4, 5, 8, 59, 60, 61, 63, 64, 120, 127];
    for (let i = 0; i < 120; i++) {
      const rows = rowCounts[i] ?? integer(random, 1, 40);
      const k = integer(random, 1, 40), columns = integer(random, 1, 40);
      const wide = padded(columns, Tile.PANEL);
      const a = matrix(numbers(random, rows * k), rows);
      const b = matrix(numbers(random, k * columns), k);
      const bias = numbers(random, columns), sum = numbers(random, rows * wide);
      for (const options of [{}, { bias }, { sum }]) {
        for (const isTransposed of [false, true]) {
          check(new TrainInstance(build), a, b, isTransposed, options);
        }
      }
    }
  });

  Deno.test(`${build} kernels: product() gives a linear layer's outputs and gradients, as PyTorch does`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    const of = (name: string) => {
      const { data, shape } = ops.get(`linear.${name}`) as Tensor<"float32">;
      return matrix(data, shape[0]!);
    };
    const bias = ops.get("linear.bias")!.data as Float32Array;
    const instance = new TrainInstance(build);
    const y = multiply(instance, of("x"), transposed(of("weight")), true, { bias });
    assertClose(y, of("y").data, 1e-6, "y");
    const dx = multiply(instance, of("dy"), of("weight"), false);
    assertClose(dx, of("d_x").data, 1e-6, "dx");
  });
}

function check(
  instance: TrainInstance,
  a: Matrix,
  b: Matrix,
  isTransposed: boolean,
  options: Options,
): void {
  const { bias, sum } = options;
  const expected = times(a, b).data;
  const wide = padded(b.columns, Tile.PANEL);
  for (let i = 0; i < expected.length; i++) {
    const row = Math.floor(i / b.columns), column = i % b.columns;
    expected[i]! += bias?.[column] ?? sum?.[row * wide + column] ?? 0;
  }
  const message = `${a.rows} × ${a.columns} × ${b.columns}`;
  assertClose(multiply(instance, a, b, isTransposed, options), expected, TOLERANCE, message);
}

/** A · B, with B packed by its columns or, transposed, by its rows. */
function multiply(
  instance: TrainInstance,
  a: Matrix,
  b: Matrix,
  isTransposed: boolean,
  { bias, sum }: Options = {},
): Float32Array {
  const { kernels, arena } = instance;
  const k = a.columns, wide = padded(b.columns, Tile.PANEL);
  const stride = 4 * k + 4, outStride = 4 * wide + 4;
  const panels = arena.reserve(4 * wide * k);
  if (isTransposed) {
    const rows = instance.put(Float32Array.from(transposed(b).data));
    kernels.packRows(rows, 4 * k, b.columns, k, k, panels);
  } else {
    const rows = instance.put(Float32Array.from(b.data));
    kernels.packColumns(rows, 4 * b.columns, k, b.columns, k, panels);
  }
  const offsets = arena.reserve(4 * wide);
  if (bias) arena.floats(offsets, bias.length).set(bias);
  const start = sum ?? new Float32Array(a.rows * wide).fill(GUARD);
  const out = instance.guardedRows(start, wide, outStride);
  kernels.product(
    instance.putRows(Float32Array.from(a.data), k, stride),
    stride,
    a.rows,
    panels,
    k,
    wide,
    bias ? offsets : 0,
    Number(sum !== undefined),
    out,
    outStride,
    instance.putScratch(),
  );
  const all = instance.take(out, a.rows * outStride / 4);
  // Behind the columns are zeros up to a panel's end, or what was there before; then guards.
  const isOwn = (i: number) => i % (wide + 1) < b.columns;
  const past = withGuards(sum ?? new Float32Array(a.rows * wide), wide, outStride, GUARD);
  assertClose(all.filter((_, i) => !isOwn(i)), past.filter((_, i) => !isOwn(i)), 0, "past");
  return all.filter((_, i) => isOwn(i));
}
