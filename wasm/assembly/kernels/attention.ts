import { exp } from "./exp";
import { Scratch } from "./linear";
import { PANEL, sumOf, TILE_ROWS } from "./simd";
import { tileF32 } from "./tile";

/**
 * softmax(q kᵀ · scale) v of some rows of one head.
 *
 * @param queries f32 rows, `stride` bytes apart; up to a whole tile is read past the last one
 * @param keys f32 [⌈tokens / 8⌉][headSize][8]
 * @param values f32 [headSize / 8][paddedTokens][8]
 * @param headSize a multiple of 8
 * @param out f32 rows, `outStride` bytes apart; up to a whole tile is written past the last one
 * @param probabilities f32 [rows][tokens], or 0 if nobody wants to see them
 */
export function attention(
  queries: usize,
  stride: usize,
  rows: i32,
  keys: usize,
  values: usize,
  tokens: i32,
  headSize: i32,
  scale: f32,
  out: usize,
  outStride: usize,
  probabilities: usize,
  scratch: Scratch,
): void {
  const scores = scratch.scores;
  const scoresStride = scratch.scoresStride;
  const paddedTokens = (tokens + PANEL - 1) & -PANEL;
  for (let row = 0; row < rows; row += TILE_ROWS) {
    const count = min(TILE_ROWS, rows - row);
    for (let token = 0; token < paddedTokens; token += PANEL) {
      const panel = keys + 4 * token * headSize;
      tileF32(queries + row * stride, stride, panel, headSize, scores + 4 * token, scoresStride);
    }
    for (let r = 0; r < count; r++) {
      const sum = softmaxNumerators(scores + r * scoresStride, tokens, paddedTokens, scale);
      // Until the end the sums wait in the tile.
      store<f32>(scratch.tile + 4 * r, sum);
      if (probabilities) {
        const to = probabilities + 4 * (row + r) * tokens;
        for (let t = 0; t < tokens; t++) {
          store<f32>(to + 4 * t, load<f32>(scores + r * scoresStride + 4 * t) / sum);
        }
      }
    }
    const to = out + row * outStride;
    for (let channel = 0; channel < headSize; channel += PANEL) {
      const panel = values + 4 * channel * paddedTokens;
      tileF32(scores, scoresStride, panel, tokens, to + 4 * channel, outStride);
    }
    for (let r = 0; r < count; r++) {
      const factor = f32x4.splat(1 / load<f32>(scratch.tile + 4 * r));
      const context = to + r * outStride;
      for (let i: usize = 0; i < <usize>(4 * headSize); i += 16) {
        v128.store(context + i, f32x4.mul(v128.load(context + i), factor));
      }
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/**
 * e^(scale · (x - max x)) of each of `count` numbers, in place, and their sum. What follows up to
 * `paddedCount` is overwritten.
 */
export function softmaxNumerators(x: usize, count: i32, paddedCount: i32, scale: f32): f32 {
  for (let i = count; i < paddedCount; i++) store<f32>(x + 4 * i, -Infinity);
  const end = x + 4 * paddedCount;
  let largest = f32x4.splat(-Infinity);
  for (let at = x; at < end; at += 32) {
    largest = f32x4.pmax(largest, f32x4.pmax(v128.load(at), v128.load(at, 16)));
  }
  const maximum = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  const maxima = f32x4.splat(maximum);
  const factor = f32x4.splat(scale);
  let left = f32x4.splat(0), right = f32x4.splat(0);
  for (let at = x; at < end; at += 32) {
    const a = exp(f32x4.mul(f32x4.sub(v128.load(at), maxima), factor));
    const b = exp(f32x4.mul(f32x4.sub(v128.load(at, 16), maxima), factor));
    v128.store(at, a);
    v128.store(at, b, 16);
    left = f32x4.add(left, a);
    right = f32x4.add(right, b);
  }
  return sumOf(f32x4.add(left, right));
}
