/** The settings of a step of AdamW that all parameters share. */
@unmanaged
export class AdamW {
  beta1: f32;
  beta2: f32;
  epsilon: f32;
  /** 1 - β₁ᵗ and √(1 - β₂ᵗ) in step t, from 1 on. */
  correction1: f32;
  correction2: f32;
  /** The factor of clipping, which gradients are multiplied by. */
  clip: f32;
  /** The share d of the old average: e = d e + (1 - d) p. */
  decay: f32;
}

/**
 * A step of AdamW (Loshchilov and Hutter, 2019), in PyTorch's order of operations:
 *
 *     p = p (1 - lr wd), m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g²,
 *     p = p - lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
 *
 * @param p f32 [count], the parameters; m, v and the gradients g likewise
 * @param count a multiple of 4
 * @param average f32 [count], the moving average of the parameters, or 0
 */
export function stepAdamW(
  settings: AdamW,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  average: usize,
  count: i32,
  learningRate: f32,
  weightDecay: f32,
): void {
  const end: usize = 4 * count;
  const keep = f32x4.splat(1 - learningRate * weightDecay);
  const size = f32x4.splat(learningRate / settings.correction1);
  const beta1 = f32x4.splat(settings.beta1), new1 = f32x4.splat(1 - settings.beta1);
  const beta2 = f32x4.splat(settings.beta2), new2 = f32x4.splat(1 - settings.beta2);
  const correction = f32x4.splat(settings.correction2);
  const epsilon = f32x4.splat(settings.epsilon);
  const clip = f32x4.splat(settings.clip);
  const decay = f32x4.splat(settings.decay), fresh = f32x4.splat(1 - settings.decay);
  for (let i: usize = 0; i < end; i += 16) {
    const gradient = f32x4.mul(v128.load(g + i), clip);
    const mean = f32x4.add(f32x4.mul(v128.load(m + i), beta1), f32x4.mul(gradient, new1));
    const square = f32x4.add(
      f32x4.mul(v128.load(v + i), beta2),
      f32x4.mul(f32x4.mul(gradient, gradient), new2),
    );
    v128.store(m + i, mean);
    v128.store(v + i, square);
    const scale = f32x4.add(f32x4.div(f32x4.sqrt(square), correction), epsilon);
    const step = f32x4.mul(size, f32x4.div(mean, scale));
    const next = f32x4.sub(f32x4.mul(v128.load(p + i), keep), step);
    v128.store(p + i, next);
    if (!average) continue;
    v128.store(
      average + i,
      f32x4.add(f32x4.mul(v128.load(average + i), decay), f32x4.mul(next, fresh)),
    );
  }
}
