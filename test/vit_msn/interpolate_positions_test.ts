import type { Tensor } from "../../src/tensor/tensor.ts";
import {
  interpolatePositions,
  positionsGradient,
} from "../../src/vit_msn/interpolate_positions.ts";
import { assert, assertEquals } from "@std/assert";
import { maxDifference, readGolden } from "../golden/golden.ts";
import { uniform } from "../random.ts";

for (const [from, to] of [[7, 3], [3, 5]] as const) {
  Deno.test(`positionsGradient() from ${to} × ${to} to ${from} × ${from} is what PyTorch computes`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    // They have no CLS: put one in front.
    const of = (name: string): Tensor<"float32"> => {
      const { data, shape } = ops.get(`positions_${from}_to_${to}.${name}`) as Tensor<"float32">;
      const [, N, D] = shape as [number, number, number];
      const all = Float32Array.of(...Array(D).fill(0.5), ...data);
      return { dtype: "float32", shape: [1, 1 + N, D], data: all };
    };
    const y = interpolatePositions(of("x"), [from, from], [to, to]);
    assert(maxDifference(y.data, of("y").data) < 1e-6);
    const dx = positionsGradient(of("dy"), [from, from], [to, to]);
    assertEquals(dx.shape, of("d_x").shape);
    assert(maxDifference(dx.data, of("d_x").data) < 1e-6);
  });
}

Deno.test("positionsGradient() is the transpose of interpolatePositions() for grids that are not square", () => {
  const random = uniform(44);
  const grids = [[[3, 5], [4, 2]], [[1, 1], [3, 2]], [[2, 6], [2, 3]], [[4, 4], [4, 4]]] as const;
  for (const [from, to] of grids) {
    const numbers = ([rows, columns]: readonly [number, number]): Tensor<"float32"> => {
      const shape = [1, 1 + rows * columns, 3];
      const data = Float32Array.from({ length: shape[1]! * 3 }, () => random() - 0.5);
      return { dtype: "float32", shape, data };
    };
    const x = numbers(from), dy = numbers(to);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
    const y = interpolatePositions(x, from, to), dx = positionsGradient(dy, from, to);
    assert(Math.abs(dot(y.data, dy.data) - dot(x.data, dx.data)) < 1e-5);
  }
});
