import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { FIELDS, putStruct, type Struct, type StructName } from "../../src/runtime/simd/structs.ts";
import { uniform } from "../random.ts";
import { Bench, GUARD } from "./kernels.ts";

const BUILDS = ["relaxed", "plain"] as const;

/** Numbers from -scale to scale. */
function numbers(random: () => number, length: number, scale = 1): Float32Array {
  return Float32Array.from({ length }, () => scale * (2 * random() - 1));
}

/** The complementary error function, by its series and its continued fraction. */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 3) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 1 - 2 / Math.sqrt(Math.PI) * sum;
  }
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** By the kernels' numbers: the formula, and how far off a result may be. */
const ACTIVATIONS: readonly [name: string, f: (x: number) => number, tolerance: number][] = [
  ["gelu", (x) => x / 2 * erfc(-x / Math.SQRT2), 1e-6],
  ["gelu_tanh", (x) => x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)), 1e-6],
  ["quick_gelu", (x) => x * sigmoid(1.702 * x), 1e-6],
  ["relu", (x) => Math.max(x, 0), 0],
  ["silu", (x) => x * sigmoid(x), 1e-6],
];

/** A struct of which only some fields matter. */
function struct<N extends StructName>(bench: Bench, name: N, values: Partial<Struct<N>>): number {
  const zeros = Object.fromEntries(FIELDS[name].map((field) => [field, 0]));
  return putStruct(bench.arena, name, { ...zeros, ...values } as Struct<N>);
}

for (const build of BUILDS) {
  ACTIVATIONS.forEach(([name, f, tolerance], activation) => {
    Deno.test(`${build}: ${name} is what its formula says`, () => {
      const bench = new Bench(build);
      const x = Float32Array.from({ length: 8000 }, (_, i) => (i - 4000) / 400);
      const place = bench.put(x);
      bench.kernels.activate(activation, place, x.length);
      let worst = 0;
      bench.floats(place, x.length).forEach((y, i) => {
        worst = Math.max(worst, Math.abs(y - f(x[i]!)));
      });
      console.log(`largest error ${worst.toExponential(1)}`);
      assert(worst <= tolerance);
      const special = bench.put(Float32Array.of(NaN, Infinity, 100, -100, 0, NaN, 1, -1));
      bench.kernels.activate(activation, special, 8);
      const [nan, infinite, large, negative, zero, nan2] = bench.floats(special, 8);
      assertEquals([nan, infinite, large, nan2], [NaN, Infinity, 100, NaN]);
      assert(Math.abs(negative!) < 1e-6 && Math.abs(zero!) < 1e-6);
    });
  });

  Deno.test(`${build}: softmax's exponentials are within 2 units in the last place`, () => {
    const bench = new Bench(build);
    const random = uniform(1);
    let worst = 0;
    for (let round = 0; round < 200; round++) {
      const count = 1 + Math.floor(70 * random());
      const paddedCount = Math.ceil(count / 8) * 8;
      const x = numbers(random, count, 40);
      const padded = new Float32Array(paddedCount).fill(NaN); // what pads is overwritten
      padded.set(x);
      const place = bench.put(padded);
      const sum = bench.kernels.softmaxNumerators(place, count, paddedCount, 0.5);
      const max = Math.max(...x);
      let expectedSum = 0;
      bench.floats(place, count).forEach((y, i) => {
        const exact = Math.exp(Math.fround(Math.fround(x[i]! - max) * 0.5));
        expectedSum += exact;
        const unit = 2 ** (Math.floor(Math.log2(exact)) - 23);
        worst = Math.max(worst, Math.abs(y - exact) / unit);
      });
      assertAlmostEquals(sum, expectedSum, 1e-5 * expectedSum);
    }
    console.log(`largest error ${worst.toFixed(2)} units in the last place`);
    assert(worst <= 2);
    const withNaN = bench.put(Float32Array.of(1, NaN, 2, 3, 0, 0, 0, 0));
    assertEquals(bench.kernels.softmaxNumerators(withNaN, 5, 8, 1), NaN);
    const far = bench.put(Float32Array.of(0, -1e4, -Infinity, 0, 0, 0, 0, 0));
    bench.kernels.softmaxNumerators(far, 3, 8, 1);
    const [one, ...nothing] = bench.floats(far, 3);
    assert(one === 1 && nothing.every((y) => y >= 0 && y < 1.3e-38));
  });

  Deno.test(`${build}: layerNorm normalises rows of any width, and nothing beside`, () => {
    const bench = new Bench(build);
    const random = uniform(2);
    for (const width of [1, 3, 4, 5, 17, 64, 191, 384]) {
      const x = numbers(random, width, 3).map((v) => v + 5);
      const [weight, bias] = [numbers(random, width), numbers(random, width)];
      const out = bench.guarded(4 * width + 16);
      const places = [x, weight, bias].map((data) => bench.put(data)) as [number, number, number];
      bench.kernels.layerNorm(...places, out, width, 1e-6);
      const mean = x.reduce((a, b) => a + b, 0) / width;
      const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width;
      bench.floats(out, width).forEach((y, i) => {
        const expected = (x[i]! - mean) / Math.sqrt(variance + 1e-6) * weight[i]! + bias[i]!;
        assertAlmostEquals(y, expected, width === 1 ? 2e-3 : 1e-5);
      });
      assertEquals(bench.floats(out + 4 * width, 4), new Float32Array(4).fill(GUARD));
      x[width - 1] = NaN;
      bench.kernels.layerNorm(bench.put(x), places[1], places[2], out, width, 1e-6);
      assert(bench.floats(out, width).every(Number.isNaN));
    }
  });

  Deno.test(`${build}: quantizeRow rounds by the row's largest number`, () => {
    const bench = new Bench(build);
    const random = uniform(3);
    const quantize = (x: Float32Array) => {
      const bytes = Math.ceil(x.length / 4) * 4;
      const out = bench.guarded(bytes + 4);
      const [scale, start] = [bench.guarded(4), bench.guarded(4)];
      bench.kernels.quantizeRow(bench.put(x), x.length, out, scale, start);
      assertEquals(bench.floats(out + bytes, 1)[0], GUARD);
      return {
        q: Array.from(new Int8Array(bench.arena.bytes(out, bytes).slice().buffer)),
        scale: bench.floats(scale, 1)[0]!,
        start: bench.arena.integers(start, 1)[0]!,
      };
    };
    for (const width of [1, 2, 3, 4, 7, 37, 384]) {
      const x = numbers(random, width, 9);
      const { q, scale, start } = quantize(x);
      const max = Math.max(...x.map(Math.abs));
      assertAlmostEquals(scale, max / 127, 1e-6);
      q.forEach((v, i) => assert(Math.abs(v - (x[i] ?? 0) * 127 / max) <= 0.5001));
      assertEquals(start, -64 * q.reduce((a, b) => a + b, 0) || 0);
    }
    assertEquals(quantize(new Float32Array(5)).q, new Array(8).fill(0));
    for (const special of [NaN, Infinity, -Infinity]) {
      assert(!Number.isFinite(quantize(Float32Array.of(1, 2, special)).scale));
    }
  });

  Deno.test(`${build}: widenHalves gives every finite float16 exactly`, () => {
    const bench = new Bench(build);
    const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i)
      .filter((half) => (half & 0x7c00) !== 0x7c00);
    const out = bench.guarded(4 * halves.length);
    bench.kernels.widenHalves(bench.put(halves), halves.length, out);
    assertEquals(
      bench.floats(out, halves.length),
      Float32Array.from(new Float16Array(halves.buffer)),
    );
  });

  for (const [dtype, type] of ["f32", "f16", "int8"].entries()) {
    Deno.test(`${build}: linear multiplies ${type} weights and puts outputs where they belong`, () => {
      const random = uniform(4 + dtype);
      for (const [rows, inputs, outputs] of [[1, 1, 8], [4, 5, 16], [7, 37, 8], [13, 64, 24]]) {
        checkLinear(new Bench(build), dtype, rows!, inputs!, outputs!, random);
      }
    });
  }

  Deno.test(`${build}: attention is softmax(q kᵀ · scale) v`, () => {
    const random = uniform(9);
    for (const [rows, tokens, headSize] of [[1, 1, 8], [5, 9, 8], [7, 37, 16], [13, 70, 24]]) {
      checkAttention(new Bench(build), rows!, tokens!, headSize!, random);
    }
  });
}

/** Rows, activated rows, added rows, keys and values, each against a product in double precision. */
function checkLinear(
  bench: Bench,
  dtype: number,
  rows: number,
  inputs: number,
  outputs: number,
  random: () => number,
): void {
  const { arena, kernels } = bench;
  const x = numbers(random, rows * inputs);
  const weights = numbers(random, outputs * inputs);
  const bias = numbers(random, outputs);
  const stored = [
    () => weights,
    () => new Uint16Array(Float16Array.from(weights).buffer),
    () => Int8Array.from(weights, (w) => Math.round(63 * w)),
  ][dtype]!();
  const exact = dtype === 1
    ? Float32Array.from(new Float16Array(stored.buffer as ArrayBuffer))
    : Float32Array.from(stored as Float32Array, (w) => dtype === 2 ? w / 63 : w);
  const panelBytes = [32 * inputs, 16 * inputs, 32 * Math.ceil(inputs / 4)][dtype]!;
  const weight = arena.reserve(outputs / 8 * panelBytes);
  for (let p = 0; p < outputs / 8; p++) {
    const eight = stored.subarray(8 * p * inputs, 8 * (p + 1) * inputs);
    kernels.pack(dtype, bench.put(eight), inputs, weight + p * panelBytes);
  }
  const layer = struct(bench, "Linear", {
    dtype,
    inputs,
    outputs,
    weight,
    scale: arena.put(new Float32Array(outputs).fill(1 / 63)),
    bias: arena.put(bias),
  });
  const tiles = rows + kernels.tileRows();
  const quantizedStride = Math.ceil(inputs / 4) * 4;
  const scratch = struct(bench, "Scratch", {
    quantized: arena.reserve(tiles * quantizedStride),
    quantizedStride,
    rowScale: arena.reserve(4 * tiles),
    rowStart: arena.reserve(4 * tiles),
    panel: arena.reserve(32 * inputs),
    tile: arena.reserve(32 * kernels.tileRows()),
    progress: arena.reserve(4),
  });
  const stride = 4 * inputs + 4;
  const run = (data: Float32Array, target: Partial<Struct<"Target">>) =>
    kernels.linear(
      layer,
      bench.putRows(data, inputs, stride),
      stride,
      rows,
      struct(bench, "Target", target),
      scratch,
      0,
    );
  const tolerance = dtype === 2 ? 0.02 * Math.sqrt(inputs) : 1e-5;
  const expected = (row: number, column: number) => {
    let sum = bias[column]!;
    for (let k = 0; k < inputs; k++) sum += x[row * inputs + k]! * exact[column * inputs + k]!;
    return sum;
  };
  const each = (check: (row: number, column: number) => void) => {
    for (let row = 0; row < rows; row++) for (let c = 0; c < outputs; c++) check(row, c);
  };
  const outStride = 4 * outputs + 8;
  const guarded = () => bench.guarded((rows + 1) * outStride);
  const at = (data: number, row: number, column: number) =>
    bench.floats(data + row * outStride + 4 * column, 1)[0]!;
  const assertGuard = (data: number) => {
    for (let row = 0; row < rows; row++) assertEquals(at(data, row, outputs), GUARD);
    assertEquals(
      bench.floats(data + rows * outStride, outputs),
      new Float32Array(outputs).fill(GUARD),
    );
  };

  const plain = guarded();
  run(x, { kind: 0, data: plain, stride: outStride });
  each((row, c) => assertAlmostEquals(at(plain, row, c), expected(row, c), tolerance));
  assertGuard(plain);
  const activated = guarded();
  run(x, { kind: 1, data: activated, stride: outStride, activation: 3 });
  each((row, c) => assertEquals(at(activated, row, c), Math.max(0, at(plain, row, c))));
  assertGuard(activated);
  const added = guarded();
  run(x, { kind: 2, data: added, stride: outStride });
  each((row, c) => assertEquals(at(added, row, c), Math.fround(GUARD + at(plain, row, c))));
  assertGuard(added);

  // Keys are [head][token / 8][channel][token % 8], values [channel / 8][token][channel % 8].
  const first = 3;
  const tokens = Math.ceil((first + rows) / 8) * 8;
  const keys = bench.guarded(4 * tokens * outputs);
  run(x, { kind: 3, data: keys, stride: tokens, row: first, headSize: 8 });
  const values = bench.guarded(4 * tokens * outputs);
  run(x, { kind: 4, data: values, stride: tokens, row: first, headSize: 8 });
  for (let token = 0; token < tokens; token++) {
    for (let c = 0; c < outputs; c++) {
      const row = token - first;
      const isGiven = row >= 0 && row < rows;
      const head = Math.floor(c / 8);
      const key = ((head * tokens / 8 + Math.floor(token / 8)) * 8 + c % 8) * 8 + token % 8;
      const value = (head * tokens + token) * 8 + c % 8;
      for (const [data, place] of [[keys, key], [values, value]] as const) {
        assertEquals(bench.floats(data + 4 * place, 1)[0], isGiven ? at(plain, row, c) : GUARD);
      }
    }
  }

  // What is not finite stays in its row.
  const broken = x.slice();
  broken[(rows - 1) * inputs] = NaN;
  const result = guarded();
  run(broken, { kind: 0, data: result, stride: outStride });
  each((row, c) => assertEquals(at(result, row, c), row === rows - 1 ? NaN : at(plain, row, c)));
}

function checkAttention(
  bench: Bench,
  rows: number,
  tokens: number,
  headSize: number,
  random: () => number,
): void {
  const { arena, kernels } = bench;
  const [q, k, v] = [rows, tokens, tokens].map((count) => numbers(random, count * headSize, 2)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const padded = Math.ceil(tokens / 8) * 8;
  const keys = new Float32Array(padded * headSize).fill(NaN); // what pads must not matter
  const values = new Float32Array(padded * headSize).fill(NaN);
  for (let t = 0; t < tokens; t++) {
    for (let c = 0; c < headSize; c++) {
      keys[(Math.floor(t / 8) * headSize + c) * 8 + t % 8] = k[t * headSize + c]!;
      values[(Math.floor(c / 8) * padded + t) * 8 + c % 8] = v[t * headSize + c]!;
    }
  }
  const stride = 4 * headSize;
  const scoresStride = 4 * padded;
  const scratch = struct(bench, "Scratch", {
    scores: arena.reserve(kernels.tileRows() * scoresStride),
    scoresStride,
    tile: arena.reserve(32 * kernels.tileRows()),
    progress: arena.reserve(4),
  });
  const out = arena.reserve((rows + kernels.tileRows()) * stride);
  const probabilities = bench.guarded(4 * rows * tokens + 4);
  kernels.attention(
    bench.putRows(q, headSize, stride),
    stride,
    rows,
    arena.put(keys),
    arena.put(values),
    tokens,
    headSize,
    0.3,
    out,
    stride,
    probabilities,
    scratch,
  );
  for (let r = 0; r < rows; r++) {
    const scores = Array.from({ length: tokens }, (_, t) => {
      let sum = 0;
      for (let c = 0; c < headSize; c++) sum += q[r * headSize + c]! * k[t * headSize + c]!;
      return Math.exp(0.3 * sum);
    });
    const total = scores.reduce((a, b) => a + b);
    bench.floats(probabilities + 4 * r * tokens, tokens)
      .forEach((p, t) => assertAlmostEquals(p, scores[t]! / total, 1e-5));
    bench.floats(out + r * stride, headSize).forEach((y, c) => {
      const expected = scores.reduce((sum, s, t) => sum + s / total * v[t * headSize + c]!, 0);
      assertAlmostEquals(y, expected, 1e-5);
    });
  }
  assertEquals(bench.floats(probabilities + 4 * rows * tokens, 1)[0], GUARD);
}
