import { Activation } from "../activation";
import { exp } from "../exp";
import { constant, madd } from "../simd";

/**
 * The backward of an activation function f, which also computes its outputs again:
 * out = f(x), gradient = gradient ⊙ f'(x)
 *
 * @param x f32 [count], the inputs of the forward
 * @param count a multiple of 4
 * @param out f32 [count], may be `x`
 * @param gradient f32 [count], of the outputs; of the inputs afterwards
 */
export function activateBackward(
  activation: Activation,
  x: usize,
  count: i32,
  out: usize,
  gradient: usize,
): void {
  const end = x + 4 * count;
  if (activation == Activation.GELU) {
    for (; x < end; x += 16, out += 16, gradient += 16) gelu(x, out, gradient);
  } else if (activation == Activation.GELU_TANH) {
    for (; x < end; x += 16, out += 16, gradient += 16) geluTanh(x, out, gradient);
  } else if (activation == Activation.QUICK_GELU) {
    for (; x < end; x += 16, out += 16, gradient += 16) gated(x, 1.702, out, gradient);
  } else if (activation == Activation.RELU) {
    for (; x < end; x += 16, out += 16, gradient += 16) relu(x, out, gradient);
  } else {
    for (; x < end; x += 16, out += 16, gradient += 16) gated(x, 1, out, gradient);
  }
}

/** Abramowitz and Stegun, 7.1.26: erfc(z) = e^(-z²) t (a₁ + a₂ t + …), t = 1 / (1 + p z); the highest first. */
const ERFC = memory.data<f32>([
  1.061405429,
  -1.453152027,
  1.421413741,
  -0.284496736,
  0.254829592,
]);
const P: f32 = 0.3275911;

/** f = x Φ(x), f' = Φ(x) + x φ(x), with Φ(-|x|) = erfc(|x| / √2) / 2 and φ(x) = e^(-x²/2) / √2π. */
// @ts-ignore: decorator
@inline
function gelu(at: usize, out: usize, gradient: usize): void {
  const x = v128.load(at);
  const one = f32x4.splat(1);
  const e = exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
  const t = f32x4.div(one, madd(f32x4.abs(x), f32x4.splat(P * <f32>0.7071067811865476), one));
  let p = constant(ERFC);
  p = madd(p, t, constant(ERFC + 4));
  p = madd(p, t, constant(ERFC + 8));
  p = madd(p, t, constant(ERFC + 12));
  p = madd(p, t, constant(ERFC + 16));
  const tail = f32x4.mul(f32x4.mul(f32x4.mul(p, t), e), f32x4.splat(0.5));
  const isNegative = f32x4.lt(x, f32x4.splat(0));
  const phi = v128.bitselect(tail, f32x4.sub(one, tail), isNegative);
  v128.store(out, f32x4.mul(x, phi));
  const slope = madd(f32x4.mul(x, f32x4.splat(0.3989422804014327)), e, phi);
  v128.store(gradient, f32x4.mul(v128.load(gradient), slope));
}

/** With u = √(2/π) (x + 0.044715 x³) and s = σ(2u): f = x s, f' = s + x s (1 - s) 2 u'. */
// @ts-ignore: decorator
@inline
function geluTanh(at: usize, out: usize, gradient: usize): void {
  const x = v128.load(at);
  const one = f32x4.splat(1);
  const square = f32x4.mul(x, x);
  const twice = f32x4.splat(2 * 0.7978845608028654);
  const u = f32x4.mul(f32x4.mul(x, twice), madd(square, f32x4.splat(0.044715), one));
  const s = f32x4.div(one, f32x4.add(one, exp(f32x4.neg(u))));
  const inner = f32x4.mul(twice, madd(square, f32x4.splat(3 * 0.044715), one));
  const y = f32x4.mul(x, s);
  v128.store(out, y);
  const slope = madd(f32x4.mul(y, f32x4.sub(one, s)), inner, s);
  v128.store(gradient, f32x4.mul(v128.load(gradient), slope));
}

/** With s = σ(factor x): f = x s, f' = s + factor x s (1 - s). */
// @ts-ignore: decorator
@inline
function gated(at: usize, factor: f32, out: usize, gradient: usize): void {
  const x = v128.load(at);
  const one = f32x4.splat(1);
  const s = f32x4.div(one, f32x4.add(one, exp(f32x4.mul(x, f32x4.splat(-factor)))));
  const y = f32x4.mul(x, s);
  v128.store(out, y);
  const slope = madd(f32x4.mul(y, f32x4.splat(factor)), f32x4.sub(one, s), s);
  v128.store(gradient, f32x4.mul(v128.load(gradient), slope));
}

/** f = max(x, 0), f' = 1 for x > 0, else 0 */
// @ts-ignore: decorator
@inline
function relu(at: usize, out: usize, gradient: usize): void {
  const x = v128.load(at);
  const isPositive = f32x4.gt(x, f32x4.splat(0));
  v128.store(out, f32x4.pmax(x, f32x4.splat(0))); // NaN stays
  v128.store(gradient, v128.and(v128.load(gradient), isPositive));
}
