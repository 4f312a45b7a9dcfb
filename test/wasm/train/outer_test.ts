import type { Tensor } from "../../../src/tensor/tensor.ts";
import { Tile } from "../../../src/train/engine/structs.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { GUARD } from "../instance.ts";
import { assertClose, integer, numbers, padded } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance, withGuards } from "./instance.ts";
import { type Matrix, matrix, times, transposed } from "./matrices.ts";

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: accumulateOuter() of any shape adds, and changes nothing else`, () => {
    const random = uniform(34);
    for (let i = 0; i < 150; i++) {
      const k = i % 10 === 0 ? integer(random, 90, 130) : integer(random, 1, 40);
      const m = integer(random, 1, 40), columns = integer(random, 1, 40);
      const a = matrix(numbers(random, k * m), k);
      const b = matrix(numbers(random, k * columns), k);
      const start = numbers(random, m * columns);
      const expected = times(transposed(a), b).data.map((v, j) => v + start[j]!);
      const instance = new TrainInstance(build);
      assertClose(addOuter(instance, a, b, start), expected, 1e-5, `${m} × ${k} × ${columns}`);
    }
  });

  Deno.test(`${build} kernels: accumulateOuter() gives the gradients of weights, as PyTorch does`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    const of = (name: string) => ops.get(name) as Tensor<"float32">;
    const zeros = (m: Matrix, n: Matrix) => new Float32Array(m.columns * n.columns);
    const x = matrix(of("linear.x").data, 5), dy = matrix(of("linear.dy").data, 5);
    const dWeight = addOuter(new TrainInstance(build), dy, x, zeros(dy, x));
    assertClose(dWeight, of("linear.d_weight").data, 1e-6);

    const patches = unfolded(of("patch_projection.pixel_values"), 4);
    const dPatches = matrix(of("patch_projection.dy").data, patches.rows);
    const dProjection = addOuter(
      new TrainInstance(build),
      dPatches,
      patches,
      zeros(dPatches, patches),
    );
    assertClose(dProjection, of("patch_projection.d_weight").data, 1e-6);
  });
}

/** [B, C, H, W] to [B · N, C · size · size] */
function unfolded({ shape, data }: Tensor<"float32">, size: number): Matrix {
  const [B, C, H, W] = shape as [number, number, number, number];
  const out: number[] = [];
  for (let b = 0; b < B; b++) {
    for (let y = 0; y < H; y += size) {
      for (let x = 0; x < W; x += size) {
        for (let c = 0; c < C; c++) {
          for (let i = 0; i < size; i++) {
            const from = ((b * C + c) * H + y + i) * W + x;
            out.push(...data.subarray(from, from + size));
          }
        }
      }
    }
  }
  return matrix(out, B * H * W / size ** 2);
}

/** start + Aᵀ B, a panel of B at a time. */
function addOuter(
  instance: TrainInstance,
  a: Matrix,
  b: Matrix,
  start: Float32Array,
): Float32Array {
  const { kernels } = instance;
  const k = a.rows, stride = 4 * a.columns + 4, outStride = 4 * b.columns + 4;
  const panels = instance.poisoned(4 * padded(b.columns, Tile.PANEL) * k);
  const rows = instance.put(Float32Array.from(b.data));
  kernels.packColumns(rows, 4 * b.columns, k, b.columns, k, panels);
  const from = instance.putRows(Float32Array.from(a.data), a.columns, stride);
  const out = instance.guardedRows(start, b.columns, outStride);
  const spare = instance.poisoned(128);
  for (let column = 0; column < b.columns; column += Tile.PANEL) {
    kernels.accumulateOuter(
      from,
      stride,
      a.columns,
      panels + 4 * column * k,
      k,
      Math.min(Tile.PANEL, b.columns - column),
      out + 4 * column,
      outStride,
      spare,
    );
  }
  const all = instance.take(out, a.columns * outStride / 4);
  const isGuard = withGuards(new Float32Array(start.length), b.columns, outStride, GUARD);
  assertClose(
    all.filter((_, i) => isGuard[i] === GUARD),
    isGuard.filter((v) => v === GUARD),
    0,
    "past",
  );
  return all.filter((_, i) => isGuard[i] !== GUARD);
}
