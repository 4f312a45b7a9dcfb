import { assert, assertEquals } from "@std/assert";
import type { Build } from "../../src/runtime/simd/kernels.ts";
import { putStruct } from "../../src/runtime/simd/structs.ts";
import { softmax } from "../../src/tensor/softmax.ts";
import { uniform } from "../random.ts";
import { bytesOf, GUARD, GUARD_BYTE, Instance } from "./kernels.ts";

const BUILDS: readonly Build[] = ["relaxed", "plain"];
const PANEL = 8;

/** How weights are stored, in the order of their numbers. */
const DTYPES = ["f32", "f16", "int8"] as const;
const [F32, F16, I8] = [0, 1, 2];

/** What becomes of outputs, in the order of the numbers. */
const KINDS = ["rows", "activated rows", "sums", "keys", "values"] as const;
const [ROWS, ACTIVATED, ADDED, KEYS, VALUES] = [0, 1, 2, 3, 4];

type Random = () => number;

/** A whole number from `low` to `high`. */
function integer(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** Numbers from -size to size. */
function numbers(random: Random, count: number, size = 1): Float32Array {
  return Float32Array.from({ length: count }, () => (2 * random() - 1) * size);
}

function padded(count: number, multiple: number): number {
  return Math.ceil(count / multiple) * multiple;
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

/**
 * Equal within a tolerance, relative to what is larger than 1. What is not finite must be the same, and
 * so must be what was not to be written.
 */
function assertClose(
  actual: Float32Array,
  expected: ArrayLike<number>,
  tolerance: number,
  message = "",
): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i]!, e = expected[i]!;
    if (Object.is(a, e)) continue;
    const isClose = e !== GUARD && Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e));
    assert(isClose, `${message} [${i}]: ${a} instead of ${e}`);
  }
}

function assertSameBits(actual: Float32Array, expected: Float32Array, message = ""): void {
  assertEquals(new Uint32Array(actual.buffer), new Uint32Array(expected.buffer), message);
}

/** An error in units in the last place of float32, of which the smallest normal ones have 2⁻¹⁴⁹. */
function ulps(actual: number, expected: number): number {
  return Math.abs(actual - expected) / 2 ** (Math.max(Math.floor(Math.log2(expected)), -126) - 23);
}

/** Φ(x), the share of a normal distribution that is below x. */
function normalShare(x: number): number {
  if (Math.abs(x) > 12) return x > 0 ? 1 : 0;
  // All terms have the same sign, so that they lose nothing.
  let sum = 0;
  for (let term = x, n = 1; sum + term !== sum; n += 2) {
    sum += term;
    term *= x * x / (n + 2);
  }
  return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** The activation functions in the order of their numbers. */
const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  "GELU": (x) => x * normalShare(x),
  "GELU with tanh": (x) => {
    const u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    return x / 2 * (1 + Math.tanh(u));
  },
  "quick GELU": (x) => x / (1 + Math.exp(-1.702 * x)),
  "ReLU": (x) => Math.max(0, x),
  "SiLU": (x) => x / (1 + Math.exp(-x)),
};

const ACTIVATION_TOLERANCE = 1e-6;

for (const build of BUILDS) {
  for (const [activation, [name, reference]] of Object.entries(ACTIVATIONS).entries()) {
    Deno.test(`${build} kernels: ${name} is right within ${ACTIVATION_TOLERANCE}`, () => {
      const instance = new Instance(build);
      const random = uniform(activation);
      const x = numbers(random, 16_000, 10);
      x.set([0, -0, 1e-30, -1e-30, 5.25, -5.25, 88, -88, 1e4, -1e4, 3e38, -3e38]);
      const actual = activate(instance, activation, x);
      const expected = Float64Array.from(x, reference);
      assertClose(actual, expected, ACTIVATION_TOLERANCE);
      const errors = x.map((v, i) => Math.abs(v) <= 10 ? Math.abs(actual[i]! - expected[i]!) : 0);
      const largest = errors.reduce((a, b) => Math.max(a, b));
      console.log(`largest error ${largest.toExponential(1)}`);
    });
  }

  Deno.test(`${build} kernels: activations keep NaN and infinity, and nothing else changes`, () => {
    const instance = new Instance(build);
    for (const activation of Object.keys(ACTIVATIONS).keys()) {
      for (let lane = 0; lane < 8; lane++) {
        const x = numbers(uniform(lane), 8);
        const expected = activate(instance, activation, x);
        x[lane] = expected[lane] = NaN;
        const other = (lane + 3) % 8;
        x[other] = expected[other] = Infinity;
        assertEquals(activate(instance, activation, x), expected);
      }
    }
  });

  Deno.test(`${build} kernels: softmaxNumerators() has eˣ within 2 units in the last place`, () => {
    const instance = new Instance(build);
    // The largest is 0; with a negative scale the powers are those of positive numbers.
    for (const [scale, least] of [[1, -87.33], [-1, -88.37]] as const) {
      const random = uniform(3);
      const x = Float32Array.from({ length: 20_001 }, (_, i) => i ? least * random() : 0);
      const { numerators } = softmaxNumerators(instance, x, scale);
      let largest = 0;
      x.forEach((v, i) => largest = Math.max(largest, ulps(numerators[i]!, Math.exp(scale * v))));
      console.log(`largest error ${largest.toFixed(2)} units`);
      assert(largest <= 2);
    }
  });

  Deno.test(`${build} kernels: softmaxNumerators() gives powers of any count, and their sum`, () => {
    const instance = new Instance(build);
    const random = uniform(4);
    for (let count = 1; count <= 40; count++) {
      const x = numbers(random, count, 30);
      const scale = Math.fround(0.05 + random());
      const largest = x.reduce((a, b) => Math.max(a, b));
      const expected = Float64Array.from(x, (v) => Math.exp(scale * (v - largest)));
      const { numerators, sum } = softmaxNumerators(instance, x, scale);
      assertClose(numerators, expected, 1e-6);
      assertClose(Float32Array.of(sum), [sumOf(expected)], 1e-6);
    }
  });

  Deno.test(`${build} kernels: softmaxNumerators() of far smaller numbers is about 0, of NaN NaN`, () => {
    const instance = new Instance(build);
    const far = Float32Array.of(-1000, 5, -Infinity, -3e38, -90);
    const { numerators, sum } = softmaxNumerators(instance, far, 1);
    assertEquals(numerators[1], 1);
    assert([0, 2, 3, 4].every((i) => numerators[i]! >= 0 && numerators[i]! < 1.2e-38));
    assertEquals(sum, 1);
    for (let count = 1; count <= 20; count++) {
      for (const bad of [NaN, Infinity]) {
        const x = numbers(uniform(count), count);
        x[(7 * count) % count] = bad;
        x[count >> 1] = bad;
        assertEquals(softmaxNumerators(instance, x, 1).sum, NaN);
      }
    }
  });

  Deno.test(`${build} kernels: layerNorm() of any width, in place too, and not a number further`, () => {
    const instance = new Instance(build);
    const random = uniform(5);
    for (let width = 1; width <= 67; width++) {
      const size = 10 ** integer(random, -2, 2);
      const mean = size * random();
      const x = numbers(random, width, size).map((v) => v + mean);
      const weight = numbers(random, width), bias = numbers(random, width);
      const expected = layerNormReference(x, weight, bias, 1e-6);
      assertClose(layerNorm(instance, x, weight, bias, false), expected, 2e-5, `width ${width}`);
      assertClose(layerNorm(instance, x, weight, bias, true), expected, 2e-5, `width ${width}`);
    }
  });

  Deno.test(`${build} kernels: layerNorm() of equal numbers is the bias, with NaN or infinity NaN`, () => {
    const instance = new Instance(build);
    for (const width of [1, 4, 7, 18]) {
      const weight = numbers(uniform(6), width), bias = numbers(uniform(7), width);
      const x = new Float32Array(width).fill(2.5);
      assertEquals(layerNorm(instance, x, weight, bias, false), bias);
      for (let i = 0; i < width; i++) {
        for (const bad of [NaN, Infinity, -Infinity]) {
          const actual = layerNorm(instance, x.with(i, bad), weight, bias, false);
          assertEquals(actual, new Float32Array(width).fill(NaN));
        }
      }
    }
  });

  Deno.test(`${build} kernels: quantizeRow() rounds to 8 bits, fills up with zeros, and sums`, () => {
    const instance = new Instance(build);
    const random = uniform(8);
    for (let width = 1; width <= 67; width++) {
      const x = numbers(random, width, 10 ** integer(random, -20, 20));
      const largest = x.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const { q, scale, start } = quantizeRow(instance, x);
      assertEquals(scale, Math.fround(largest / 127));
      x.forEach((v, i) => {
        const error = Math.abs(q[i]! - v * (127 / largest));
        assert(error < 0.5001 && Math.abs(q[i]!) <= 127, `${q[i]}`);
      });
      assertEquals(start, -64 * sumOf(q));
      assert(q.subarray(width).every((v) => v === 0));
    }
  });

  Deno.test(`${build} kernels: quantizeRow() takes ties to even; its scale of what is not finite is neither`, () => {
    const instance = new Instance(build);
    const ties = Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -127, 0.49, 3.51);
    const expected = Int8Array.of(0, 2, 2, 0, -2, -2, 126, -127, 0, 4, 0, 0);
    assertEquals(quantizeRow(instance, ties).q, expected);
    const zero = quantizeRow(instance, new Float32Array(5));
    assertEquals(zero.q, new Int8Array(8));
    assertEquals(zero.start, 0);
    assert(Number.isFinite(zero.scale) && zero.scale > 0);
    for (let width = 1; width <= 9; width++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        for (let i = 0; i < width; i++) {
          const x = numbers(uniform(width), width).with(i, bad);
          assert(!Number.isFinite(quantizeRow(instance, x).scale));
        }
      }
    }
  });

  Deno.test(`${build} kernels: widenHalves() is exact for all finite float16`, () => {
    const instance = new Instance(build);
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    const halves = all.filter((bits) => (bits & 0x7c00) !== 0x7c00);
    assertEquals(halves.length, 63_488);
    const place = instance.put(halves);
    const out = instance.guarded(4 * halves.length);
    instance.kernels.widenHalves(place, halves.length, out);
    const expected = Float32Array.from(new Float16Array(halves.buffer));
    assertSameBits(instance.take(out, halves.length), expected);
  });

  Deno.test(`${build} kernels: pack() gives each type's panels, and nothing further`, () => {
    const instance = new Instance(build);
    const random = uniform(9);
    for (const dtype of DTYPES.keys()) {
      for (let inputs = 1; inputs <= 19; inputs++) {
        const layer = randomLayer(random, dtype, inputs, PANEL);
        const data = stored(layer);
        const size = data.BYTES_PER_ELEMENT;
        const depth = dtype === I8 ? 4 : 1; // inputs that lie together
        const bytes = padded(inputs, depth) * PANEL * size;
        const panel = instance.guarded(bytes);
        // Rows of 16 or 8 bits need not be aligned to 32.
        const rows = instance.poisoned(data.byteLength + size) + size;
        instance.arena.bytes(rows, data.byteLength).set(bytesOf(data));
        instance.kernels.pack(dtype, rows, inputs, panel);
        const actual = instance.arena.bytes(panel, bytes + 16).slice();
        const expected = actual.slice(); // what fills up a group may be anything
        expected.fill(GUARD_BYTE, bytes);
        for (let column = 0; column < PANEL; column++) {
          for (let i = 0; i < inputs; i++) {
            const number = bytesOf(data.subarray(column * inputs + i, column * inputs + i + 1));
            const at = (Math.floor(i / depth) * PANEL + column) * depth + i % depth;
            if (dtype === I8) expected[at] = number[0]! + 64;
            else expected.set(number, at * size);
          }
        }
        assertEquals(actual, expected, `${DTYPES[dtype]}, ${inputs}`);
      }
    }
  });

  for (const [dtype, name] of DTYPES.entries()) {
    for (const [kind, kindName] of KINDS.entries()) {
      Deno.test(`${build} kernels: linear() of ${name} gives ${kindName}, and writes nothing else`, () => {
        const instance = new Instance(build);
        const random = uniform(100 * dtype + kind);
        for (let trial = 0; trial < 12; trial++) {
          const headSize = PANEL * integer(random, 1, 3);
          const outputs = headSize * integer(random, 1, 3);
          const layer = randomLayer(random, dtype, integer(random, 1, 70), outputs);
          const rows = integer(random, 1, 20);
          const x = numbers(random, rows * layer.inputs);
          const row = kind >= KEYS ? integer(random, 0, 20) : 0;
          const shape = { kind, rows, outputs, headSize, row, activation: trial % 5 };
          const { actual, placeOf } = linear(instance, layer, x, shape);
          const expected = new Float64Array(actual.length).fill(GUARD);
          linearReference(layer, x).forEach((v, i) => {
            const at = placeOf(Math.floor(i / outputs), i % outputs);
            if (kind === ACTIVATED) v = Object.values(ACTIVATIONS)[shape.activation]!(v);
            expected[at] = kind === ADDED ? GUARD + v : v;
          });
          assertClose(actual, expected, 1e-5, `${rows} × ${layer.inputs} × ${outputs}`);
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
              if (r === row && dtype === I8) assert(!Number.isFinite(value));
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
        ...randomLayer(random, I8, inputs, outputs),
        scale: new Float32Array(outputs).fill(1),
        bias: new Float32Array(outputs),
      };
      layer.weight.fill(63, 0, inputs);
      layer.weight.fill(-64, inputs, 2 * inputs);
      const x = numbers(random, rows * inputs).map((v) => Math.round(127 * v));
      // With a largest number of 127 the scale is 1. In the first rows the sums are as large as can be.
      for (let row = 0; row < rows; row++) x[row * inputs] = row % 2 ? 127 : -127;
      x.fill(127, 0, inputs);
      x.fill(-127, inputs, 2 * inputs);
      const shape = { ...ONLY_ROWS, rows, outputs };
      const { actual, placeOf, again } = linear(instance, layer, x, shape);
      linearReference(layer, x).forEach((v, i) => {
        assertEquals(actual[placeOf(Math.floor(i / outputs), i % outputs)], v);
      });
      assertSameBits(again(), actual);
    }
  });

  Deno.test(`${build} kernels: attention() is softmax(q kᵀ · scale) v, with and without probabilities`, () => {
    const instance = new Instance(build);
    const random = uniform(12);
    for (let trial = 0; trial < 40; trial++) {
      const inputs = randomHead(random, integer(random, 1, 70), PANEL * integer(random, 1, 5));
      const { context, probabilities } = attention(instance, inputs, true);
      const expected = attentionReference(inputs);
      const message = `${inputs.rows} of ${inputs.tokens}, ${inputs.headSize}`;
      assertClose(context, expected.context, 1e-5, message);
      assertClose(probabilities!, expected.probabilities, 1e-5, message);
      for (let row = 0; row < inputs.rows; row++) {
        const share = probabilities!.subarray(row * inputs.tokens, (row + 1) * inputs.tokens);
        assertClose(Float32Array.of(sumOf(share)), [1], 1e-6, message);
      }
      assertSameBits(attention(instance, inputs, false).context, context);
    }
  });

  Deno.test(`${build} kernels: attention() keeps a query's NaN to its row`, () => {
    const instance = new Instance(build);
    const inputs = randomHead(uniform(13), 19, 16);
    for (let row = 0; row < inputs.rows; row++) {
      const good = attention(instance, inputs, true);
      const queries = inputs.queries.with(row * 16 + row % 16, NaN);
      const actual = attention(instance, { ...inputs, queries }, true);
      good.context.fill(NaN, row * 16, (row + 1) * 16);
      good.probabilities!.fill(NaN, row * 19, (row + 1) * 19);
      assertEquals(actual, good);
    }
  });
}

Deno.test("plain kernels: linear() of f32 rounds every product and every sum", () => {
  const random = uniform(14);
  const rows = 7, inputs = 53, outputs = 16;
  const layer = randomLayer(random, F32, inputs, outputs);
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

Deno.test("plain kernels: the same bits come out every time, wherever things lie", () => {
  const results = [0, 1, 2].map((skipped) => {
    const instance = new Instance("plain");
    instance.poisoned(1000 * skipped);
    const random = uniform(15);
    const inputs = randomHead(random, 45, 24);
    const { context, probabilities } = attention(instance, inputs, true);
    const row = context.subarray(0, 21);
    const layer = randomLayer(random, I8, 21, 16);
    const shape = { ...ONLY_ROWS, kind: ACTIVATED, rows: 1, outputs: 16 };
    const normal = layerNorm(instance, row, row, row, false);
    return [context, probabilities!, normal, linear(instance, layer, row, shape).actual];
  });
  for (const result of results) {
    result.forEach((numbers, i) => assertSameBits(numbers, results[0]![i]!));
  }
});

function activate(instance: Instance, activation: number, x: Float32Array): Float32Array {
  const place = instance.guarded(bytesOf(x).length);
  instance.arena.floats(place, x.length).set(x);
  instance.kernels.activate(activation, place, x.length);
  return instance.take(place, x.length);
}

/** The powers and their sum; what fills up the row is NaN before. */
function softmaxNumerators(instance: Instance, x: Float32Array, scale: number) {
  const count = padded(x.length, PANEL);
  const place = instance.guarded(4 * count);
  const row = instance.arena.floats(place, count).fill(NaN);
  row.set(x);
  const sum = instance.kernels.softmaxNumerators(place, x.length, count, scale);
  return { numerators: instance.take(place, count).subarray(0, x.length), sum };
}

function layerNorm(
  instance: Instance,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  inPlace: boolean,
): Float32Array {
  const out = instance.guarded(4 * x.length);
  if (inPlace) instance.arena.floats(out, x.length).set(x);
  const from = inPlace ? out : instance.put(x);
  const parameters = [instance.put(weight), instance.put(bias)] as const;
  instance.kernels.layerNorm(from, ...parameters, out, x.length, 1e-6);
  return instance.take(out, x.length);
}

function layerNormReference(
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  epsilon: number,
): Float64Array {
  const mean = sumOf(x) / x.length;
  const variance = sumOf(Float64Array.from(x, (v) => (v - mean) ** 2)) / x.length;
  return Float64Array.from(
    x,
    (v, i) => (v - mean) / Math.sqrt(variance + epsilon) * weight[i]! + bias[i]!,
  );
}

/** A quantised row with the zeros that fill it up. */
function quantizeRow(instance: Instance, x: Float32Array) {
  const bytes = padded(x.length, 4);
  const out = instance.guarded(bytes);
  const scale = instance.guarded(4), start = instance.guarded(4);
  instance.kernels.quantizeRow(instance.put(x), x.length, out, scale, start);
  return {
    q: new Int8Array(instance.take(out, bytes / 4).buffer),
    scale: instance.take(scale, 1)[0]!,
    start: new Int32Array(instance.take(start, 1).buffer)[0]!,
  };
}

/** A linear layer, not packed. */
interface Layer {
  readonly dtype: number;
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs][inputs] */
  readonly weight: Float32Array;
  readonly scale: Float32Array;
  readonly bias: Float32Array;
}

/** A layer whose weights its type can have. */
function randomLayer(random: Random, dtype: number, inputs: number, outputs: number): Layer {
  const weight = numbers(random, outputs * inputs).map((v) =>
    dtype === F32 ? v : dtype === F16 ? Math.f16round(v) : Math.floor(64 * v)
  );
  const scale = Float32Array.from({ length: outputs }, () => (1 + random()) / 64);
  return { dtype, inputs, outputs, weight, scale, bias: numbers(random, outputs) };
}

/** A layer's weights as the type that they have. */
function stored({ dtype, weight }: Layer): Float32Array | Uint16Array | Int8Array {
  if (dtype === F32) return weight;
  if (dtype === I8) return Int8Array.from(weight);
  return new Uint16Array(Float16Array.from(weight).buffer);
}

/** x Wᵀ + b in double precision, of rows that are quantised where the weights are. */
function linearReference(layer: Layer, x: Float32Array): Float64Array {
  const { dtype, inputs, outputs, weight, scale, bias } = layer;
  const rows = x.length / inputs;
  const out = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    let numbers = x.subarray(row * inputs, (row + 1) * inputs);
    const largest = numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const factor = Math.fround(127 / largest);
    if (dtype === I8) numbers = numbers.map((v) => roundHalfEven(Math.fround(v * factor)));
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += numbers[i]! * weight[o * inputs + i]!;
      if (dtype === I8) sum *= largest / 127 * scale[o]!;
      out[row * outputs + o] = sum + bias[o]!;
    }
  }
  return out;
}

function roundHalfEven(x: number): number {
  const magic = 1.5 * 2 ** 52; // next to it, numbers are integers
  return x + magic - magic;
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

const ONLY_ROWS = { kind: ROWS, headSize: 0, row: 0, activation: 0 };

/** All where the outputs go, with what lies between them; where each is; and how to do it again. */
function linear(instance: Instance, layer: Layer, x: Float32Array, shape: Outputs) {
  const { kernels, arena } = instance;
  const { kind, rows, outputs, headSize, row, activation } = shape;
  const { inputs } = layer;
  const isInPanels = kind >= KEYS;
  // Of panels, the number of rows in each; else 12 bytes are between rows.
  const stride = isInPanels ? padded(row + rows, PANEL) : 4 * outputs + 12;
  const length = isInPanels ? outputs * stride : (rows + kernels.tileRows()) * stride / 4;
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
      const [panel, lane] = [Math.floor(o / PANEL), o % PANEL];
      if (kind === VALUES) return (panel * stride + token) * PANEL + lane;
      if (kind !== KEYS) return r * stride / 4 + o;
      const tokens = Math.floor(o / headSize) * stride / PANEL + Math.floor(token / PANEL);
      return (tokens * headSize + o % headSize) * PANEL + token % PANEL;
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
  const panelBytes = dtype === I8 ? PANEL * padded(inputs, 4) : PANEL * rowBytes;
  const weight = instance.poisoned(outputs / PANEL * panelBytes);
  for (let panel = 0; panel < outputs / PANEL; panel++) {
    const from = rows + panel * PANEL * rowBytes;
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

/** Scratch of a thread, as large as a linear layer or an attention needs it. */
function putScratch(instance: Instance, rows: number, inputs: number, tokens: number): number {
  const tileRows = instance.kernels.tileRows();
  const allRows = rows + tileRows;
  const quantizedStride = padded(inputs, 4) + 4;
  const scoresStride = 4 * padded(tokens, PANEL) + 4;
  return putStruct(instance.arena, "Scratch", {
    normal: 0,
    normalStride: 0,
    hidden: 0,
    hiddenStride: 0,
    quantized: instance.poisoned(allRows * quantizedStride),
    quantizedStride,
    rowScale: instance.poisoned(4 * allRows),
    rowStart: instance.poisoned(4 * allRows),
    scores: instance.poisoned(tileRows * scoresStride),
    scoresStride,
    panel: instance.poisoned(4 * PANEL * inputs),
    tile: instance.poisoned(4 * PANEL * tileRows),
    progress: instance.poisoned(4),
  });
}

/** What one head sees. */
interface Head {
  readonly rows: number;
  readonly tokens: number;
  readonly headSize: number;
  readonly scale: number;
  /** [rows][headSize] */
  readonly queries: Float32Array;
  /** [tokens][headSize] */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

function randomHead(random: Random, tokens: number, headSize: number): Head {
  const rows = integer(random, 1, 20);
  return {
    rows,
    tokens,
    headSize,
    scale: Math.fround(3 * random()),
    queries: numbers(random, rows * headSize),
    keys: numbers(random, tokens * headSize),
    values: numbers(random, tokens * headSize),
  };
}

/** A head's context [rows][headSize], and the probabilities [rows][tokens] if they are wanted. */
function attention(instance: Instance, head: Head, isSeen: boolean) {
  const { kernels, arena } = instance;
  const { rows, tokens, headSize, scale } = head;
  const paddedTokens = padded(tokens, PANEL);
  // What fills up the panels of tokens stays NaN.
  const keys = instance.poisoned(4 * paddedTokens * headSize);
  const values = instance.poisoned(4 * paddedTokens * headSize);
  for (let token = 0; token < tokens; token++) {
    for (let channel = 0; channel < headSize; channel++) {
      const i = token * headSize + channel;
      const tokenPanel = Math.floor(token / PANEL), channelPanel = Math.floor(channel / PANEL);
      const key = (tokenPanel * headSize + channel) * PANEL + token % PANEL;
      const value = (channelPanel * paddedTokens + token) * PANEL + channel % PANEL;
      arena.floats(keys + 4 * key, 1)[0] = head.keys[i]!;
      arena.floats(values + 4 * value, 1)[0] = head.values[i]!;
    }
  }
  const stride = 4 * headSize + 4, outStride = 4 * headSize + 12;
  const queries = instance.putRows(head.queries, headSize, stride);
  const writtenRows = padded(rows, kernels.tileRows()); // whole tiles
  const length = writtenRows * outStride / 4;
  const out = instance.guarded(4 * length);
  const seen = instance.guarded(4 * rows * tokens);
  kernels.attention(
    queries,
    stride,
    rows,
    keys,
    values,
    tokens,
    headSize,
    scale,
    out,
    outStride,
    isSeen ? seen : 0,
    putScratch(instance, rows, 0, tokens),
  );
  const all = instance.take(out, length);
  const context = new Float32Array(rows * headSize);
  for (let row = 0; row < writtenRows; row++) {
    const numbers = all.subarray(row * outStride / 4, (row + 1) * outStride / 4);
    if (row < rows) context.set(numbers.subarray(0, headSize), row * headSize);
    assertEquals(numbers.subarray(headSize), new Float32Array(3).fill(GUARD));
  }
  return { context, probabilities: isSeen ? instance.take(seen, rows * tokens) : undefined };
}

function attentionReference({ rows, tokens, headSize, scale, queries, keys, values }: Head) {
  const context = new Float64Array(rows * headSize);
  const probabilities = new Float64Array(rows * tokens);
  for (let row = 0; row < rows; row++) {
    const query = queries.subarray(row * headSize, (row + 1) * headSize);
    const scores = Array.from({ length: tokens }, (_, token) => {
      const key = keys.subarray(token * headSize, (token + 1) * headSize);
      return scale * query.reduce((sum, v, i) => sum + v * key[i]!, 0);
    });
    const shares = softmax(scores);
    probabilities.set(shares, row * tokens);
    shares.forEach((share, token) => {
      for (let channel = 0; channel < headSize; channel++) {
        context[row * headSize + channel]! += share * values[token * headSize + channel]!;
      }
    });
  }
  return { context, probabilities };
}
