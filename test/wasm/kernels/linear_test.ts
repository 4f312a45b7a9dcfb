import { assert, assertEquals } from "@std/assert";
import { Tile } from "../../../src/runtime/simd/structs.ts";
import { Activation, DType, OutputKind } from "../../../src/runtime/simd/structs.ts";
import { putStruct } from "../../../src/runtime/simd/write_struct.ts";
import { uniform } from "../../random.ts";
import { ACTIVATIONS } from "../activations.ts";
import { BUILDS, GUARD, Instance, putScratch } from "../instance.ts";
import { DTYPES, type Layer, randomLayer, stored } from "../layer.ts";
import { assertClose, assertSameBits, integer, numbers, padded } from "../numbers.ts";
import { quantized, rangeOf } from "../quantized.ts";

/** What becomes of outputs, with the names in tests. */
const KINDS = [
  [OutputKind.ROWS, "rows"],
  [OutputKind.ACTIVATED, "activated rows"],
  [OutputKind.ADDED, "sums"],
  [OutputKind.KEYS, "keys"],
  [OutputKind.VALUES, "values"],
] as const;

for (const build of BUILDS) {
  for (const [dtype, name] of DTYPES) {
    for (const [kind, kindName] of KINDS) {
      Deno.test(`${build} kernels: linear() of ${name} gives ${kindName}, and writes nothing else`, () => {
        const instance = new Instance(build);
        const random = uniform(100 * dtype + kind);
        for (let trial = 0; trial < 12; trial++) {
          const headSize = Tile.PANEL * integer(random, 1, 3);
          const outputs = headSize * integer(random, 1, 3);
          const layer = randomLayer(random, dtype, integer(random, 1, 70), outputs);
          const rows = integer(random, 1, trial % 4 ? 20 : 130); // more than a strip, too
          const x = numbers(random, rows * layer.inputs);
          const row = kind >= OutputKind.KEYS ? integer(random, 0, 20) : 0;
          const [activation, , reference] = ACTIVATIONS[trial % ACTIVATIONS.length]!;
          const shape = { kind, rows, outputs, headSize, row, activation };
          const { actual, placeOf } = linear(instance, layer, x, shape);
          const expected = new Float64Array(actual.length).fill(GUARD);
          linearReference(layer, x).forEach((v, i) => {
            const at = placeOf(Math.floor(i / outputs), i % outputs);
            if (kind === OutputKind.ACTIVATED) v = reference(v);
            expected[at] = kind === OutputKind.ADDED ? GUARD + v : v;
          });
          const isCoarse = dtype === DType.I8 && kind === OutputKind.ACTIVATED &&
            activation === Activation.GELU;
          const tolerance = isCoarse ? 1.1e-4 : 1e-5;
          assertClose(actual, expected, tolerance, `${rows} × ${layer.inputs} × ${outputs}`);
        }
      });
    }

    Deno.test(`${build} kernels: linear() of ${name} keeps infinity and NaN to their rows`, () => {
      const instance = new Instance(build);
      const random = uniform(10 + dtype);
      for (const bad of [Infinity, -Infinity, NaN]) {
        for (const inputs of [5, 24]) {
          const rows = 8, outputs = 16;
          const layer = randomLayer(random, dtype, inputs, outputs);
          const x = numbers(random, rows * inputs);
          const shape = { ...ONLY_ROWS, rows, outputs };
          const { actual: good, placeOf } = linear(instance, layer, x, shape);
          const row = integer(random, 0, rows - 1);
          const column = integer(random, 0, inputs - 1);
          layer.weight[3 * inputs + column] = 0; // times infinity is NaN
          x[row * inputs + column] = bad;
          const expected = linearReference(layer, x);
          const { actual } = linear(instance, layer, x, shape);
          for (let r = 0; r < rows; r++) {
            for (let o = 0; o < outputs; o++) {
              const value = actual[placeOf(r, o)]!;
              if (r === row && dtype === DType.I8) assert(!Number.isFinite(value));
              else if (r === row) assertEquals(value, expected[r * outputs + o]);
              else if (o !== 3) assertEquals(value, good[placeOf(r, o)]);
              else assert(Number.isFinite(value));
            }
          }
        }
      }
    });
  }

  Deno.test(`${build} kernels: linear() of int8 sums integers exactly, also those of quantised rows`, () => {
    const instance = new Instance(build);
    const random = uniform(11);
    for (const inputs of [1, 2, 3, 4, 31, 64, 401]) {
      const rows = 13, outputs = 16;
      const layer = {
        ...randomLayer(random, DType.I8, inputs, outputs),
        scale: new Float32Array(outputs).fill(1),
        bias: new Float32Array(outputs),
      };
      layer.weight.fill(63, 0, inputs);
      layer.weight.fill(-64, inputs, 2 * inputs);
      // With a largest number of 127, and four that add up to at most 256, the scale is 1.
      const x = numbers(random, rows * inputs).map((v) => Math.round(43 * v));
      for (let row = 0; row < rows; row++) x[row * inputs] = row % 2 ? 127 : -127;
      // In the first rows, the sums of four are as large as can be.
      for (let i = 0; i < inputs; i++) {
        const size = i % 2 ? 1 : 127;
        x[i] = size;
        x[inputs + i] = -size;
      }
      const shape = { ...ONLY_ROWS, rows, outputs };
      const { actual, placeOf, again } = linear(instance, layer, x, shape);
      linearReference(layer, x).forEach((v, i) => {
        assertEquals(actual[placeOf(Math.floor(i / outputs), i % outputs)], v);
      });
      assertSameBits(again(), actual);
    }
  });

  Deno.test(`${build} kernels: linear() of int8 has GELU within 1.1e-4, and keeps NaN and infinity`, () => {
    const instance = new Instance(build);
    const outputs = 40_000;
    const [, , gelu] = ACTIVATIONS.find(([activation]) => activation === Activation.GELU)!;
    // The input is 0, so that an output is its bias.
    const layer = {
      ...randomLayer(uniform(13), DType.I8, 1, outputs),
      bias: Float32Array.from({ length: outputs }, (_, i) => (i - 20_000) / 2000),
    };
    const x = new Float32Array(1);
    const shape = { ...ONLY_ROWS, rows: 1, outputs, kind: OutputKind.ACTIVATED };
    const given = { ...shape, activation: Activation.GELU };
    const { actual, placeOf } = linear(instance, layer, x, given);
    let largest = 0;
    linearReference(layer, x).forEach((v, i) => {
      largest = Math.max(largest, Math.abs(actual[placeOf(0, i)]! - gelu(v)));
    });
    console.log(`largest error ${largest.toExponential(1)}`);
    assert(largest <= 1.1e-4 && largest > 1e-5); // it is not the exact one

    for (let lane = 0; lane < 8; lane++) {
      const other = (lane + 3) % 8;
      const bias = layer.bias.with(lane, NaN).with(other, Infinity);
      const { actual: odd } = linear(instance, { ...layer, bias }, x, given);
      const expected = actual.slice();
      expected[placeOf(0, lane)] = NaN;
      expected[placeOf(0, other)] = Infinity;
      assertEquals(odd, expected);
    }
  });

  Deno.test(`${build} kernels: linear() of int8 does not overflow, however large four numbers are together`, () => {
    const instance = new Instance(build);
    const random = uniform(12);
    for (let trial = 0; trial < 40; trial++) {
      const rows = integer(random, 1, 9), inputs = integer(random, 1, 40), outputs = 8;
      const layer = randomLayer(random, DType.I8, inputs, outputs);
      for (let o = 0; o < outputs; o++) {
        layer.weight.fill(o % 2 ? 63 : -64, o * inputs, (o + 1) * inputs);
      }
      const sizes = [1, 1, 0.99, 0.51, -1, -1];
      const x = Float32Array.from(
        { length: rows * inputs },
        () => sizes[integer(random, 0, trial % sizes.length)]!,
      );
      const { actual, placeOf } = linear(instance, layer, x, { ...ONLY_ROWS, rows, outputs });
      linearReference(layer, x).forEach((v, i) => {
        const got = actual[placeOf(Math.floor(i / outputs), i % outputs)]!;
        assertClose(Float32Array.of(got), [v], 1e-5);
      });
    }
  });
}

Deno.test("plain kernels: linear() of f32 rounds every product and every sum", () => {
  const random = uniform(14);
  const rows = 7, inputs = 53, outputs = 16;
  const layer = randomLayer(random, DType.F32, inputs, outputs);
  const x = numbers(random, rows * inputs);
  const shape = { ...ONLY_ROWS, rows, outputs };
  const { actual, placeOf } = linear(new Instance("plain"), layer, x, shape);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) {
        const product = Math.fround(x[row * inputs + i]! * layer.weight[o * inputs + i]!);
        sum = Math.fround(sum + product);
      }
      assertEquals(actual[placeOf(row, o)], Math.fround(sum + layer.bias[o]!));
    }
  }
});

Deno.test("plain kernels: linear() gives the same bits every time, wherever things lie", () => {
  const results = [0, 1, 2].map((skipped) => {
    const instance = new Instance("plain");
    instance.poisoned(1000 * skipped);
    const random = uniform(15);
    const layer = randomLayer(random, DType.I8, 21, 16);
    const shape = { ...ONLY_ROWS, kind: OutputKind.ACTIVATED, rows: 1, outputs: 16 };
    return linear(instance, layer, numbers(random, 21), shape).actual;
  });
  for (const result of results) assertSameBits(result, results[0]!);
});

/** x Wᵀ + b in double precision, of rows that are quantised where the weights are. */
function linearReference(layer: Layer, x: Float32Array): Float64Array {
  const { dtype, inputs, outputs, weight, scale, bias } = layer;
  const rows = x.length / inputs;
  const out = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    const given = x.subarray(row * inputs, (row + 1) * inputs);
    const numbers = dtype === DType.I8 ? quantized(given) : given;
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += numbers[i]! * weight[o * inputs + i]!;
      if (dtype === DType.I8) sum *= rangeOf(given) / 127 * scale[o]!;
      out[row * outputs + o] = sum + bias[o]!;
    }
  }
  return out;
}

/** What comes of a linear layer. */
interface Outputs {
  readonly kind: number;
  readonly rows: number;
  readonly outputs: number;
  readonly headSize: number;
  /** The row that the first one is, of keys and values. */
  readonly row: number;
  readonly activation: number;
}

const ONLY_ROWS = { kind: OutputKind.ROWS, headSize: 0, row: 0, activation: Activation.GELU };

/** All where the outputs go, with what lies between them; where each is; and how to do it again. */
function linear(instance: Instance, layer: Layer, x: Float32Array, shape: Outputs) {
  const { kernels, arena } = instance;
  const { kind, rows, outputs, headSize, row, activation } = shape;
  const { inputs } = layer;
  const isInPanels = kind >= OutputKind.KEYS;
  // Of panels, the number of rows in each; else 12 bytes are between rows.
  const stride = isInPanels ? padded(row + rows, Tile.PANEL) : 4 * outputs + 12;
  const length = isInPanels ? outputs * stride : rows * stride / 4;
  const out = instance.guarded(4 * length);
  const target = putStruct(arena, "Target", { kind, data: out, stride, row, headSize, activation });
  const xStride = 4 * inputs + 4;
  const from = instance.putRows(x, inputs, xStride);
  const place = putLayer(instance, layer);
  const scratch = putScratch(instance, rows, inputs, 0);
  kernels.linear(place, from, xStride, rows, target, scratch, 0);
  return {
    actual: instance.take(out, length),
    placeOf(r: number, o: number): number {
      const token = row + r;
      const [panel, lane] = [Math.floor(o / Tile.PANEL), o % Tile.PANEL];
      if (kind === OutputKind.VALUES) return (panel * stride + token) * Tile.PANEL + lane;
      if (kind !== OutputKind.KEYS) return r * stride / 4 + o;
      const tokens = Math.floor(o / headSize) * stride / Tile.PANEL +
        Math.floor(token / Tile.PANEL);
      return (tokens * headSize + o % headSize) * Tile.PANEL + token % Tile.PANEL;
    },
    /** Does it again with the quantised rows that are there; the others are lost. */
    again(): Float32Array {
      arena.bytes(from, rows * xStride).fill(0);
      arena.floats(out, length).fill(GUARD);
      kernels.linear(place, from, xStride, rows, target, scratch, 1);
      return instance.take(out, length);
    },
  };
}

function putLayer(instance: Instance, layer: Layer): number {
  const { dtype, inputs, outputs } = layer;
  const data = stored(layer);
  const rows = instance.put(data);
  const rowBytes = inputs * data.BYTES_PER_ELEMENT;
  const panelBytes = dtype === DType.I8 ? Tile.PANEL * padded(inputs, 4) : Tile.PANEL * rowBytes;
  const weight = instance.poisoned(outputs / Tile.PANEL * panelBytes);
  for (let panel = 0; panel < outputs / Tile.PANEL; panel++) {
    const from = rows + panel * Tile.PANEL * rowBytes;
    instance.kernels.pack(dtype, from, inputs, weight + panel * panelBytes);
  }
  return putStruct(instance.arena, "Linear", {
    dtype,
    inputs,
    outputs,
    weight,
    scale: instance.put(layer.scale),
    bias: instance.put(layer.bias),
  });
}
