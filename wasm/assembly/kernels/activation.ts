import { exp } from "./exp";
import { constant, exactMadd, madd } from "./simd";

/** The activation functions. */
export const enum Activation {
  /** x Φ(x) */
  GELU,
  /** x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))) */
  GELU_TANH,
  /** x σ(1.702 x) */
  QUICK_GELU,
  /** max(x, 0) */
  RELU,
  /** x σ(x) */
  SILU,
}

/**
 * Applies an activation function in place, to rows of eight numbers.
 *
 * @param data f32 [rows][8], `stride` bytes apart
 */
export function activate(
  activation: Activation,
  data: usize,
  rows: i32,
  stride: usize,
): void {
  const end = data + rows * stride;
  if (activation == Activation.GELU) {
    for (; data < end; data += stride) gelu(data);
  } else if (activation == Activation.GELU_TANH) {
    for (; data < end; data += stride) {
      v128.store(data, geluTanh(v128.load(data)));
      v128.store(data, geluTanh(v128.load(data, 16)), 16);
    }
  } else if (activation == Activation.QUICK_GELU) {
    for (; data < end; data += stride) {
      v128.store(data, gated(v128.load(data), -1.702));
      v128.store(data, gated(v128.load(data, 16), -1.702), 16);
    }
  } else if (activation == Activation.RELU) {
    for (; data < end; data += stride) {
      v128.store(data, relu(v128.load(data)));
      v128.store(data, relu(v128.load(data, 16)), 16);
    }
  } else {
    for (; data < end; data += stride) {
      v128.store(data, gated(v128.load(data), -1));
      v128.store(data, gated(v128.load(data, 16), -1), 16);
    }
  }
}

/** max(x, 0) */
// @ts-ignore: decorator
@inline
function relu(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0)); // NaN stays
}

/** The coefficients of u Φ(-u) in `gelu`, the highest power first. */
const TAIL = memory.data<f32>([
  -0.0100119254,
  0.00487457681,
  0.0600854419,
  -0.0523248762,
  -0.140764475,
  0.214365214,
  0.09139584,
  -0.416768521,
  0.26583609,
  0.259846032,
  -0.574145377,
  0.357341617,
  0.081837371,
  -0.291028321,
  0.214394525,
  -0.0763055533,
  0.0113727059,
]);

/** Where the polynomial ends; beyond it, u Φ(-u) is below 4.1e-7. */
const GELU_END: f32 = 5.25;

/**
 * x Φ(x) = x/2 (1 + erf(x/√2)) of eight numbers in place, with an absolute error of at most 4.1e-7:
 * max(x, 0) - u Φ(-u) with u = |x|, where u Φ(-u) is a minimax polynomial in s = u/2.625 - 1 on
 * 0 ≤ u ≤ 5.25. GELU(-∞) is the limit, 0. Eight at a time, because one chain of multiply-adds waits for
 * its own results.
 */
// @ts-ignore: decorator
@inline
function gelu(data: usize): void {
  const x = v128.load(data);
  const y = v128.load(data, 16);
  const s = scaled(x, GELU_END);
  const t = scaled(y, GELU_END);
  let p = constant(TAIL), q = p;
  p = madd(p, s, constant(TAIL + 4)), q = madd(q, t, constant(TAIL + 4));
  p = madd(p, s, constant(TAIL + 8)), q = madd(q, t, constant(TAIL + 8));
  p = madd(p, s, constant(TAIL + 12)), q = madd(q, t, constant(TAIL + 12));
  p = madd(p, s, constant(TAIL + 16)), q = madd(q, t, constant(TAIL + 16));
  p = madd(p, s, constant(TAIL + 20)), q = madd(q, t, constant(TAIL + 20));
  p = madd(p, s, constant(TAIL + 24)), q = madd(q, t, constant(TAIL + 24));
  p = madd(p, s, constant(TAIL + 28)), q = madd(q, t, constant(TAIL + 28));
  p = madd(p, s, constant(TAIL + 32)), q = madd(q, t, constant(TAIL + 32));
  p = madd(p, s, constant(TAIL + 36)), q = madd(q, t, constant(TAIL + 36));
  p = madd(p, s, constant(TAIL + 40)), q = madd(q, t, constant(TAIL + 40));
  p = madd(p, s, constant(TAIL + 44)), q = madd(q, t, constant(TAIL + 44));
  p = madd(p, s, constant(TAIL + 48)), q = madd(q, t, constant(TAIL + 48));
  p = madd(p, s, constant(TAIL + 52)), q = madd(q, t, constant(TAIL + 52));
  p = madd(p, s, constant(TAIL + 56)), q = madd(q, t, constant(TAIL + 56));
  p = madd(p, s, constant(TAIL + 60)), q = madd(q, t, constant(TAIL + 60));
  p = madd(p, s, constant(TAIL + 64)), q = madd(q, t, constant(TAIL + 64));
  v128.store(data, f32x4.sub(relu(x), p));
  v128.store(data, f32x4.sub(relu(y), q), 16);
}

/** The coefficients of u Φ(-u) in `coarseGelu`, the highest power first. */
const COARSE_TAIL = memory.data<f32>([
  0.00874086749,
  -0.0759202018,
  0.0448522121,
  0.213866353,
  -0.309870064,
  0.0395594947,
  0.206526652,
  -0.177512899,
  0.0498441383,
]);

/** Where that polynomial ends. */
const COARSE_END: f32 = 3.9;

/**
 * GELU by a polynomial of degree 8, with an absolute error of at most 1.1e-4, which is less than the rounding to
 * 8 bits that follows in int8 models. The same bits in both builds.
 */
// @ts-ignore: decorator
@inline
export function coarseGelu(x: v128): v128 {
  const s = scaled(x, COARSE_END);
  // In pairs of terms (Estrin's scheme): in a single chain, each step would wait for the one before.
  const square = f32x4.mul(s, s);
  const fourth = f32x4.mul(square, square);
  const terms01 = exactMadd(constant(COARSE_TAIL + 28), s, constant(COARSE_TAIL + 32));
  const terms23 = exactMadd(constant(COARSE_TAIL + 20), s, constant(COARSE_TAIL + 24));
  const terms45 = exactMadd(constant(COARSE_TAIL + 12), s, constant(COARSE_TAIL + 16));
  const terms67 = exactMadd(constant(COARSE_TAIL + 4), s, constant(COARSE_TAIL + 8));
  const low = exactMadd(terms23, square, terms01);
  const high = exactMadd(constant(COARSE_TAIL), fourth, exactMadd(terms67, square, terms45));
  const p = exactMadd(high, fourth, low);
  return f32x4.sub(relu(x), p);
}

/** s = 2 min(|x|, end) / end - 1; NaN stays */
// @ts-ignore: decorator
@inline
function scaled(x: v128, end: f32): v128 {
  const u = f32x4.pmin(f32x4.abs(x), f32x4.splat(end));
  return exactMadd(u, f32x4.splat(2 / end), f32x4.splat(-1));
}

/** x/2 (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), which is x / (1 + e^(-2u)). */
// @ts-ignore: decorator
@inline
function geluTanh(x: v128): v128 {
  const cubic = exactMadd(f32x4.mul(x, x), f32x4.splat(0.044715), f32x4.splat(1));
  const u = f32x4.mul(f32x4.mul(x, f32x4.splat(-2 * 0.7978845608028654)), cubic);
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp(u)));
}

/** x / (1 + e^(factor·x)) */
// @ts-ignore: decorator
@inline
function gated(x: v128, factor: f32): v128 {
  const e = exp(f32x4.mul(x, f32x4.splat(factor)));
  return f32x4.div(x, f32x4.add(f32x4.splat(1), e));
}
