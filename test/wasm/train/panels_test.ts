import { Tile } from "../../../src/train/engine/structs.ts";
import { uniform } from "../../random.ts";
import { GUARD } from "../instance.ts";
import { assertSameBits, integer, numbers, padded } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";

for (const build of TRAIN_BUILDS) {
  Deno.test(`${build} kernels: packRows() and packColumns() of any shape write no more than that`, () => {
    const random = uniform(32);
    for (let i = 0; i < 200; i++) {
      const instance = new TrainInstance(build);
      const rows = integer(random, 1, 40), columns = integer(random, 1, 40);
      const x = numbers(random, rows * columns);
      const stride = 4 * (columns + integer(random, 0, 3));
      const from = instance.putRows(x, columns, stride);
      const check = (name: "packRows" | "packColumns", across: number, along: number) => {
        const depth = along + integer(random, 0, 5);
        const size = padded(across, Tile.PANEL) * depth;
        const to = instance.guarded(4 * size);
        instance.kernels[name](from, stride, rows, columns, depth, to);
        const expected = new Float32Array(size).fill(GUARD);
        for (let a = 0; a < across; a++) {
          for (let b = 0; b < along; b++) {
            const panel = Math.floor(a / Tile.PANEL) * depth * Tile.PANEL;
            const [row, column] = name === "packRows" ? [a, b] : [b, a];
            expected[panel + b * Tile.PANEL + a % Tile.PANEL] = x[row * columns + column]!;
          }
        }
        assertSameBits(instance.take(to, size), expected, `${name} of ${rows} × ${columns}`);
      };
      check("packRows", rows, columns);
      check("packColumns", columns, rows);
    }
  });

  Deno.test(`${build} kernels: repack() packs a layer for the forward and the backward`, () => {
    const random = uniform(33);
    for (let i = 0; i < 60; i++) {
      const instance = new TrainInstance(build);
      const inputs = integer(random, 1, 40), outputs = integer(random, 1, 40);
      const [hasBackward, hasBias] = [i % 2 === 0, i % 3 === 0];
      const weight = numbers(random, inputs * outputs), bias = numbers(random, outputs);
      const sizes = [padded(outputs, 8) * inputs, padded(inputs, 8) * outputs, outputs] as const;
      const [forward, backward, bias0] = sizes.map((size) => instance.guarded(4 * size)) as [
        number,
        number,
        number,
      ];
      const layer = instance.putStruct("TrainedLinear", {
        inputs,
        outputs,
        forward,
        backward: hasBackward ? backward : 0,
        bias: bias0,
      });
      instance.kernels.repack(layer, instance.put(weight), hasBias ? instance.put(bias) : 0);
      const panels = (across: number, along: number, at: (a: number, b: number) => number) =>
        Float32Array.from({ length: padded(across, 8) * along }, (_, p) => {
          const a = Math.floor(p / (8 * along)) * 8 + p % 8;
          return a < across ? at(a, Math.floor(p / 8) % along) : GUARD;
        });
      const none = (size: number) => new Float32Array(size).fill(GUARD);
      assertSameBits(
        instance.take(forward, sizes[0]),
        panels(outputs, inputs, (o, k) => weight[o * inputs + k]!),
        "forward",
      );
      assertSameBits(
        instance.take(backward, sizes[1]),
        hasBackward ? panels(inputs, outputs, (k, o) => weight[o * inputs + k]!) : none(sizes[1]),
        "backward",
      );
      assertSameBits(instance.take(bias0, outputs), hasBias ? bias : none(outputs), "bias");
    }
  });
}
