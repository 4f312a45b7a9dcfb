// The loss of Masked Siamese Networks (Assran et al., 2022), as in the authors' losses.py.

/** What the loss is computed of, K prototypes, B images and n = views · B anchors. Strides are in bytes. */
@unmanaged
export class MsnLoss {
  /** B */
  images: i32;
  /** n; anchor i is a view of image i mod B. */
  anchors: i32;
  /** K */
  prototypes: i32;
  stride: i32;
  /** f32 [n][K], the cosines of anchors and prototypes; softmax of them / τ afterwards. */
  anchorProbabilities: usize;
  /** f32 [B][K], the cosines of targets and prototypes; the sharpened targets t afterwards. */
  targetProbabilities: usize;
  /** f32 [B][K]: softmax of the targets' cosines / τ. */
  unsharpened: usize;
  /** f32 [n][K], the gradients of the anchors' cosines. */
  dSimilarities: usize;
  /** f64 [K] of scratch. */
  sums: usize;
  /** f64 [3]: cross-entropy, mean-entropy maximisation, entropy. */
  results: usize;
  /** 1 / τ */
  scale: f32;
  /** 1 / T: targets are sharpened to this power. */
  sharpening: f32;
  sinkhornIterations: i32;
  /** ε: an image of a prototype has its label with 1 - ε + ε / K. */
  labelSmoothing: f32;
  /** The weights of the second and third part; 0 is off. */
  meMaxWeight: f32;
  entropyWeight: f32;
}

/** Below it, a probability counts as this one: its logarithm stays finite. */
const LEAST: f64 = 1e-37;

/**
 * With p = softmax(cosines / τ), t of the targets and m = mean of p over all anchors, the loss is
 *
 *     mean over anchors of -Σ t log p  +  λ (Σ m log m + log K)  +  μ · mean over anchors of -Σ p log p
 *
 * Computes its parts, and the gradients of the anchors' cosines; targets have none.
 */
export function msnLoss(loss: MsnLoss): void {
  const K = loss.prototypes;
  const n = loss.anchors;
  probabilities(loss, loss.anchorProbabilities, n);
  probabilities(loss, loss.targetProbabilities, loss.images);
  memory.copy(loss.unsharpened, loss.targetProbabilities, loss.images * loss.stride);
  sharpen(loss);
  for (let i = 0; i < loss.sinkhornIterations; i++) sinkhorn(loss);

  memory.fill(loss.sums, 0, 8 * K);
  let crossEntropy: f64 = 0, entropy: f64 = 0;
  for (let row = 0; row < n; row++) {
    const p = loss.anchorProbabilities + row * loss.stride;
    const t = loss.targetProbabilities + row % loss.images * loss.stride;
    for (let k = 0; k < K; k++) {
      const share = smoothed(loss, load<f32>(p + 4 * k));
      const log = Math.log(share);
      crossEntropy -= <f64>load<f32>(t + 4 * k) * log;
      entropy -= share * log;
      store<f64>(loss.sums + 8 * k, load<f64>(loss.sums + 8 * k) + share);
    }
  }
  let meMax = Math.log(<f64>K);
  for (let k = 0; k < K; k++) {
    const mean = max(load<f64>(loss.sums + 8 * k) / n, LEAST);
    const log = Math.log(mean);
    meMax += mean * log;
    store<f64>(loss.sums + 8 * k, log);
  }
  store<f64>(loss.results, crossEntropy / n);
  store<f64>(loss.results, meMax, 8);
  store<f64>(loss.results, entropy / n, 16);
  for (let row = 0; row < n; row++) gradients(loss, row);
}

/** Rows of softmax(x / τ), in place. */
function probabilities(loss: MsnLoss, x: usize, rows: i32): void {
  const scale: f64 = loss.scale;
  const end: usize = 4 * loss.prototypes;
  for (let row = 0; row < rows; row++, x += loss.stride) {
    let largest: f64 = -Infinity, sum: f64 = 0;
    for (let i: usize = 0; i < end; i += 4) largest = max(largest, <f64>load<f32>(x + i));
    for (let i: usize = 0; i < end; i += 4) sum += Math.exp((<f64>load<f32>(x + i) - largest) * scale);
    for (let i: usize = 0; i < end; i += 4) {
      store<f32>(x + i, <f32>(Math.exp((<f64>load<f32>(x + i) - largest) * scale) / sum));
    }
  }
}

/** t = p^(1/T) / Σ p^(1/T), in place. */
function sharpen(loss: MsnLoss): void {
  const power: f64 = loss.sharpening;
  const end: usize = 4 * loss.prototypes;
  let t = loss.targetProbabilities;
  for (let row = 0; row < loss.images; row++, t += loss.stride) {
    let largest: f64 = 0, sum: f64 = 0;
    for (let i: usize = 0; i < end; i += 4) largest = max(largest, <f64>load<f32>(t + i));
    const log = Math.log(smoothed(loss, <f32>largest));
    for (let i: usize = 0; i < end; i += 4) {
      const sharp = Math.exp((Math.log(smoothed(loss, load<f32>(t + i))) - log) * power);
      sum += sharp;
      store<f32>(t + i, <f32>sharp);
    }
    for (let i: usize = 0; i < end; i += 4) store<f32>(t + i, <f32>(<f64>load<f32>(t + i) / sum));
  }
}

/** Divides each prototype's column by its sum, then each image's row by its own. */
function sinkhorn(loss: MsnLoss): void {
  const K = loss.prototypes;
  const sums = loss.sums;
  memory.fill(sums, 0, 8 * K);
  for (let row = 0; row < loss.images; row++) {
    const t = loss.targetProbabilities + row * loss.stride;
    for (let k = 0; k < K; k++) {
      store<f64>(sums + 8 * k, load<f64>(sums + 8 * k) + <f64>load<f32>(t + 4 * k));
    }
  }
  for (let row = 0; row < loss.images; row++) {
    const t = loss.targetProbabilities + row * loss.stride;
    let sum: f64 = 0;
    for (let k = 0; k < K; k++) sum += <f64>load<f32>(t + 4 * k) / max(load<f64>(sums + 8 * k), LEAST);
    for (let k = 0; k < K; k++) {
      const share = <f64>load<f32>(t + 4 * k) / max(load<f64>(sums + 8 * k), LEAST);
      store<f32>(t + 4 * k, <f32>(share / max(sum, LEAST)));
    }
  }
}

/**
 * The gradients of an anchor's cosines. With dp = (-t / p + λ (log m + 1) - μ (log p + 1)) / n and the
 * softmax q, of which p = (1 - ε) q + ε / K: d = (1 - ε) q ⊙ (dp - Σ q dp) / τ
 */
function gradients(loss: MsnLoss, row: i32): void {
  const K = loss.prototypes;
  const q = loss.anchorProbabilities + row * loss.stride;
  const t = loss.targetProbabilities + row % loss.images * loss.stride;
  const d = loss.dSimilarities + row * loss.stride;
  const factor = (1 - <f64>loss.labelSmoothing) * <f64>loss.scale / loss.anchors;
  let mean: f64 = 0;
  for (let k = 0; k < K; k++) mean += <f64>load<f32>(q + 4 * k) * slope(loss, q, t, k);
  for (let k = 0; k < K; k++) {
    const share: f64 = load<f32>(q + 4 * k);
    store<f32>(d + 4 * k, <f32>(factor * share * (slope(loss, q, t, k) - mean)));
  }
}

/** n dp of one prototype; `sums` has log m. */
function slope(loss: MsnLoss, q: usize, t: usize, k: i32): f64 {
  const p = smoothed(loss, load<f32>(q + 4 * k));
  let d = -<f64>load<f32>(t + 4 * k) / p;
  if (loss.meMaxWeight != 0) d += <f64>loss.meMaxWeight * (load<f64>(loss.sums + 8 * k) + 1);
  if (loss.entropyWeight != 0) d -= <f64>loss.entropyWeight * (Math.log(p) + 1);
  return d;
}

/** The share of a prototype's label, at least `LEAST`. */
// @ts-ignore: decorator
@inline
function smoothed(loss: MsnLoss, q: f32): f64 {
  const smoothing: f64 = loss.labelSmoothing;
  return max((1 - smoothing) * <f64>q + smoothing / loss.prototypes, LEAST);
}
