import { exp } from "./exp";
import { madd } from "./simd";

/** The activation functions, by the numbers that a plan has for them. */
export const GELU: i32 = 0;
export const GELU_TANH: i32 = 1;
export const QUICK_GELU: i32 = 2;
export const RELU: i32 = 3;
export const SILU: i32 = 4;

/** Applies an activation function to `count` numbers, a multiple of 4, in place. */
export function activate(activation: i32, data: usize, count: i32): void {
  const end = data + 4 * count;
  if (activation == GELU) {
    for (; data < end; data += 16) v128.store(data, gelu(v128.load(data)));
  } else if (activation == GELU_TANH) {
    for (; data < end; data += 16) v128.store(data, geluTanh(v128.load(data)));
  } else if (activation == QUICK_GELU) {
    for (; data < end; data += 16) v128.store(data, gated(v128.load(data), -1.702));
  } else if (activation == RELU) {
    for (; data < end; data += 16) v128.store(data, relu(v128.load(data)));
  } else {
    for (; data < end; data += 16) v128.store(data, gated(v128.load(data), -1));
  }
}

// @ts-ignore: decorator
@inline
function relu(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0)); // NaN stays
}

/** Where the polynomial ends; beyond, what it stands for is below 4.1e-7. */
const GELU_END: f32 = 5.25;

/**
 * x Φ(x) = x/2 (1 + erf(x/√2)) with an absolute error of at most 4.1e-7: max(x, 0) - t Φ(-t) with t = |x|,
 * where t Φ(-t) is a polynomial in s = t/2.625 - 1 that was fitted to the least largest error on
 * 0 ≤ t ≤ 5.25. Of -∞ it is the limit, 0.
 */
// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  const t = f32x4.pmin(f32x4.abs(x), f32x4.splat(GELU_END));
  const s = madd(t, f32x4.splat(2 / GELU_END), f32x4.splat(-1));
  let p = f32x4.splat(-0.0100119254);
  p = madd(p, s, f32x4.splat(0.00487457681));
  p = madd(p, s, f32x4.splat(0.0600854419));
  p = madd(p, s, f32x4.splat(-0.0523248762));
  p = madd(p, s, f32x4.splat(-0.140764475));
  p = madd(p, s, f32x4.splat(0.214365214));
  p = madd(p, s, f32x4.splat(0.09139584));
  p = madd(p, s, f32x4.splat(-0.416768521));
  p = madd(p, s, f32x4.splat(0.26583609));
  p = madd(p, s, f32x4.splat(0.259846032));
  p = madd(p, s, f32x4.splat(-0.574145377));
  p = madd(p, s, f32x4.splat(0.357341617));
  p = madd(p, s, f32x4.splat(0.081837371));
  p = madd(p, s, f32x4.splat(-0.291028321));
  p = madd(p, s, f32x4.splat(0.214394525));
  p = madd(p, s, f32x4.splat(-0.0763055533));
  p = madd(p, s, f32x4.splat(0.0113727059));
  return f32x4.sub(relu(x), p);
}

/** x/2 (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), which is x / (1 + e^(-2u)). */
// @ts-ignore: decorator
@inline
function geluTanh(x: v128): v128 {
  const cubic = madd(f32x4.mul(x, x), f32x4.splat(0.044715), f32x4.splat(1));
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
