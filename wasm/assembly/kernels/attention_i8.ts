// Attention in 8 bits, for int8 models. Queries are quantised to 8 bits with a scale a token, keys to 7 bits
// with a scale a token, values to 8 bits with a scale a channel, and the numerators of the softmax, which
// are from 0 to 1, to 7 bits. The denominator is exact.
//
// Keys and values are quantised without their means over the tokens, which leaves finer steps for the rest
// (SageAttention, Zhang et al., 2024): qᵢ k̄ changes all scores of a row alike, which softmax ignores, and what
// values have in common is added to the context again, because the probabilities add up to 1.
//
// Each thread quantises the keys and values of a head for itself: that takes less time than a barrier.

import { divide, Head } from "./attention";
import { coarseExp2, LEAST_POWER } from "./exp2";
import { quantizeInto } from "./quantize";
import { Scratch } from "./scratch";
import { exactMadd, ROUNDER, roundFour, sumOf, Tile } from "./simd";
import { largestOf } from "./softmax";
import { TILE_STRIDE } from "./target";
import { Signed } from "./tile/dot";
import { multiplyI8 } from "./tile/i8";

/** out ≈ softmax(q kᵀ · scale) v, a strip of rows at a time. */
export function attentionI8(head: Head, scratch: Scratch): void {
  const headSize = head.headSize;
  const scores = scratch.scores;
  const scoresStride = scratch.scoresStride;
  const paddedTokens = (head.tokens + Tile.PANEL - 1) & -Tile.PANEL;
  const tile = scratch.tile;
  quantizeKeys(head, scratch);
  quantizeValues(head, scratch);
  for (let row = 0; row < head.rows; row += Tile.STRIP_ROWS) {
    const count = min(Tile.STRIP_ROWS, head.rows - row);
    for (let r = 0; r < count; r++) {
      quantizeInto(scratch, r, head.queries + (row + r) * head.queryStride, headSize);
    }
    const queries = scratch.quantized;
    for (let token = 0; token < paddedTokens; token += Tile.PANEL) {
      const panel = scratch.keys + token * headSize;
      const to = scores + 4 * token;
      multiplyI8(Signed.A, queries, scratch.quantizedStride, count, panel, headSize / 4, scratch.rowStart, scratch.panel, to, scoresStride);
    }
    for (let r = 0; r < count; r++) {
      const at = scores + r * scoresStride;
      const rowScale = scratch.rowScale + 4 * r;
      const numerators = scratch.numerators + r * scratch.numeratorsStride;
      const scale = load<f32>(rowScale) * head.scale;
      const sum = quantizedSoftmax(at, head.tokens, scratch.keyScale, scale, numerators);
      if (head.probabilities) {
        divide(at, head.tokens, sum, head.probabilities + 4 * (row + r) * head.tokens);
      }
      store<f32>(rowScale, 1 / (127 * sum));
      store<i32>(scratch.rowStart + 4 * r, 0);
    }
    for (let channel = 0; channel < headSize; channel += Tile.PANEL) {
      const panel = scratch.values + channel * paddedTokens;
      const groups = (head.tokens + 3) >> 2;
      multiplyI8(Signed.B, scratch.numerators, scratch.numeratorsStride, count, panel, groups, scratch.rowStart, scratch.panel, tile, TILE_STRIDE);
      const left = v128.load(scratch.valueScale + 4 * channel);
      const right = v128.load(scratch.valueScale + 4 * channel, 16);
      const leftMean = v128.load(scratch.valueMean + 4 * channel);
      const rightMean = v128.load(scratch.valueMean + 4 * channel, 16);
      let to = head.out + row * head.outStride + 4 * channel;
      for (let r = 0; r < count; r++, to += head.outStride) {
        const factor = v128.load32_splat(scratch.rowScale + 4 * r);
        const from = tile + r * TILE_STRIDE;
        const a = f32x4.convert_i32x4_s(v128.load(from)), b = f32x4.convert_i32x4_s(v128.load(from, 16));
        v128.store(to, exactMadd(a, f32x4.mul(left, factor), leftMean));
        v128.store(to, exactMadd(b, f32x4.mul(right, factor), rightMean), 16);
      }
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/** keys f32 [token / 8][channel][8] → u8 [token / 8][channel / 4][8][4], each plus 64, and their scales. */
function quantizeKeys(head: Head, scratch: Scratch): void {
  const channels = head.headSize;
  const means = scratch.panel;
  for (let channel = 0; channel < channels; channel++) {
    v128.store(means + 16 * channel, f32x4.splat(meanOfKeys(head, channel)));
  }
  let from = head.keys;
  let to = scratch.keys;
  const offset = i32x4.splat(64);
  for (let token = 0; token < head.tokens; token += Tile.PANEL) {
    const scale = scratch.keyScale + 4 * token;
    const left = quantizeColumns(from, channels, channels, means, 16, 63, offset, to);
    const right = quantizeColumns(from + 16, channels, channels, means, 16, 63, offset, to + 16);
    v128.store(scale, left);
    v128.store(scale, right, 16);
    from += 32 * channels;
    to += 8 * channels;
  }
}

/** The mean of a channel of the keys. */
function meanOfKeys(head: Head, channel: i32): f32 {
  const stride = 32 * head.headSize;
  let at = head.keys + 32 * channel;
  let left = f32x4.splat(0), right = f32x4.splat(0);
  for (let token = Tile.PANEL; token <= head.tokens; token += Tile.PANEL, at += stride) {
    left = f32x4.add(left, v128.load(at));
    right = f32x4.add(right, v128.load(at, 16));
  }
  let sum = sumOf(f32x4.add(left, right));
  for (const end = at + 4 * (head.tokens % Tile.PANEL); at < end; at += 4) sum += load<f32>(at);
  return sum / <f32>head.tokens;
}

/** values f32 [channel / 8][token][8] → i8 [channel / 8][token / 4][8][4], their scales and their means. */
function quantizeValues(head: Head, scratch: Scratch): void {
  const tokens = head.tokens;
  const paddedTokens = (tokens + Tile.PANEL - 1) & -Tile.PANEL;
  const padded = (tokens + 3) & -4;
  let from = head.values;
  let to = scratch.values;
  const offset = i32x4.splat(0);
  for (let channel = 0; channel < head.headSize; channel += Tile.PANEL) {
    const scale = scratch.valueScale + 4 * channel;
    const mean = scratch.valueMean + 4 * channel;
    let left = f32x4.splat(0), right = f32x4.splat(0);
    for (let at = from; at < from + 32 * tokens; at += 32) {
      left = f32x4.add(left, v128.load(at));
      right = f32x4.add(right, v128.load(at, 16));
    }
    const count = f32x4.splat(<f32>tokens);
    v128.store(mean, f32x4.div(left, count));
    v128.store(mean, f32x4.div(right, count), 16);
    v128.store(scale, quantizeColumns(from, tokens, padded, mean, 0, 127, offset, to));
    v128.store(scale, quantizeColumns(from + 16, tokens, padded, mean + 16, 0, 127, offset, to + 16), 16);
    from += 32 * paddedTokens;
    to += 8 * paddedTokens;
  }
}

/**
 * Quantises four of a panel's eight columns by their largest numbers: round((x - mean) / scale) + offset,
 * scale = max |x - mean| / largest. The scale of a column with an infinity or NaN is not finite.
 *
 * @param from f32 [count][8]
 * @param paddedCount a multiple of 4; zeros follow the last number
 * @param means f32 [count][4], `meanStride` bytes apart
 * @param to 8-bit [paddedCount / 4][8][4]
 * @returns the scales
 */
function quantizeColumns(
  from: usize,
  count: i32,
  paddedCount: i32,
  means: usize,
  meanStride: usize,
  largest: f32,
  offset: v128,
  to: usize,
): v128 {
  const end = from + 32 * count;
  // Without the sign, the bits of floats are ordered like the floats; NaN comes last.
  const unsigned = i32x4.splat(0x7fffffff);
  let bits = i32x4.splat(reinterpret<i32>(<f32>1e-30)); // a column of zeros may have any scale
  let mean = means;
  for (let at = from; at < end; at += 32, mean += meanStride) {
    bits = i32x4.max_s(bits, v128.and(f32x4.sub(v128.load(at), v128.load(mean)), unsigned));
  }
  const factor = f32x4.div(f32x4.splat(largest), bits);
  const rounder = f32x4.splat(ROUNDER);
  const byte = i32x4.splat(255);
  let numbers = i32x4.splat(0);
  mean = means;
  for (let i = 0; i < count; i++, from += 32, mean += meanStride) {
    const distance = f32x4.sub(v128.load(from), v128.load(mean));
    const rounded = i32x4.add(roundFour(f32x4.mul(distance, factor), rounder), offset);
    // Four numbers of a column come together in 32 bits.
    numbers = v128.or(numbers, i32x4.shl(v128.and(rounded, byte), 8 * (i & 3)));
    if ((i & 3) == 3) {
      v128.store(to, numbers);
      numbers = i32x4.splat(0);
      to += 32;
    }
  }
  if (count < paddedCount) v128.store(to, numbers);
  return f32x4.div(bits, f32x4.splat(largest));
}

/**
 * The numerators of softmax(scale · x) with xᵢ = keyScaleᵢ · scoreᵢ, which are from 0 to 1, to seven bits:
 * round(127 e^(scale · (xᵢ - max x))). In the place of the scores, they stay exact.
 *
 * @param scores i32 [tokens], with room for a multiple of 8
 * @param out u8 [tokens], with zeros up to a multiple of 8
 * @returns the exact denominator Σ e^(scale · (xᵢ - max x))
 */
function quantizedSoftmax(scores: usize, tokens: i32, keyScale: usize, scale: f32, out: usize): f32 {
  const end = scores + 4 * ((tokens + Tile.PANEL - 1) & -Tile.PANEL);
  for (let at = scores; at < end; at += 32, keyScale += 32) {
    const left = f32x4.mul(f32x4.convert_i32x4_s(v128.load(at)), v128.load(keyScale));
    const right = f32x4.mul(f32x4.convert_i32x4_s(v128.load(at, 16)), v128.load(keyScale, 16));
    v128.store(at, left);
    v128.store(at, right, 16);
  }
  for (let at = scores + 4 * tokens; at < end; at += 4) store<f32>(at, -Infinity);
  const maxima = f32x4.splat(largestOf(scores, end));
  const factor = f32x4.splat(scale * <f32>Math.LOG2E); // e^x = 2^(x log₂ e)
  const least = f32x4.splat(LEAST_POWER);
  const rounder = f32x4.splat(ROUNDER);
  const most = f32x4.splat(127);
  let left = f32x4.splat(0), right = f32x4.splat(0);
  for (let at = scores; at < end; at += 32, out += 8) {
    const a = coarseExp2(f32x4.mul(f32x4.sub(v128.load(at), maxima), factor), least, rounder);
    const b = coarseExp2(f32x4.mul(f32x4.sub(v128.load(at, 16), maxima), factor), least, rounder);
    v128.store(at, a);
    v128.store(at, b, 16);
    left = f32x4.add(left, a);
    right = f32x4.add(right, b);
    const words = i16x8.narrow_i32x4_s(
      roundFour(f32x4.mul(a, most), rounder),
      roundFour(f32x4.mul(b, most), rounder),
    );
    v128.store64_lane(out, i8x16.narrow_i16x8_s(words, words), 0);
  }
  return sumOf(f32x4.add(left, right));
}
