// Attention in 8 bits, for int8 models. Queries are quantised to 8 bits with a scale a token, keys to 7 bits
// with a scale a token, values to 8 bits with a scale a channel, and the numerators of the softmax, which
// are from 0 to 1, to 7 bits. The denominator is exact.
//
// Each thread quantises the keys and values of a head for itself: that takes less time than a barrier.

import { divide, Head } from "./attention";
import { coarseExp2, LEAST_POWER } from "./exp2";
import { quantizeInto } from "./quantize";
import { Scratch } from "./scratch";
import { ROUNDER, roundFour, sumOf, Tile } from "./simd";
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
      let to = head.out + row * head.outStride + 4 * channel;
      for (let r = 0; r < count; r++, to += head.outStride) {
        const factor = v128.load32_splat(scratch.rowScale + 4 * r);
        const from = tile + r * TILE_STRIDE;
        v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(v128.load(from)), f32x4.mul(left, factor)));
        v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(v128.load(from, 16)), f32x4.mul(right, factor)), 16);
      }
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/** keys f32 [token / 8][channel][8] → u8 [token / 8][channel / 4][8][4], each plus 64, and their scales. */
function quantizeKeys(head: Head, scratch: Scratch): void {
  const channels = head.headSize;
  let from = head.keys;
  let to = scratch.keys;
  const offset = i32x4.splat(64);
  for (let token = 0; token < head.tokens; token += Tile.PANEL) {
    const scale = scratch.keyScale + 4 * token;
    const left = quantizeColumns(from, channels, channels, 63, offset, to);
    const right = quantizeColumns(from + 16, channels, channels, 63, offset, to + 16);
    v128.store(scale, left);
    v128.store(scale, right, 16);
    from += 32 * channels;
    to += 8 * channels;
  }
}

/** values f32 [channel / 8][token][8] → i8 [channel / 8][token / 4][8][4], and their scales. */
function quantizeValues(head: Head, scratch: Scratch): void {
  const paddedTokens = (head.tokens + Tile.PANEL - 1) & -Tile.PANEL;
  const padded = (head.tokens + 3) & -4;
  let from = head.values;
  let to = scratch.values;
  const offset = i32x4.splat(0);
  for (let channel = 0; channel < head.headSize; channel += Tile.PANEL) {
    const scale = scratch.valueScale + 4 * channel;
    const left = quantizeColumns(from, head.tokens, padded, 127, offset, to);
    const right = quantizeColumns(from + 16, head.tokens, padded, 127, offset, to + 16);
    v128.store(scale, left);
    v128.store(scale, right, 16);
    from += 32 * paddedTokens;
    to += 8 * paddedTokens;
  }
}

/**
 * Quantises four of a panel's eight columns by their largest numbers: round(x / scale) + offset,
 * scale = max |x| / largest. The scale of a column with an infinity or NaN is not finite.
 *
 * @param from f32 [count][8]
 * @param paddedCount a multiple of 4; zeros follow the last number
 * @param to 8-bit [paddedCount / 4][8][4]
 * @returns the scales
 */
function quantizeColumns(
  from: usize,
  count: i32,
  paddedCount: i32,
  largest: f32,
  offset: v128,
  to: usize,
): v128 {
  const end = from + 32 * count;
  // Without the sign, the bits of floats are ordered like the floats; NaN comes last.
  const unsigned = i32x4.splat(0x7fffffff);
  let bits = i32x4.splat(reinterpret<i32>(<f32>1e-30)); // a column of zeros may have any scale
  for (let at = from; at < end; at += 32) {
    bits = i32x4.max_s(bits, v128.and(v128.load(at), unsigned));
  }
  const factor = f32x4.div(f32x4.splat(largest), bits);
  const rounder = f32x4.splat(ROUNDER);
  const byte = i32x4.splat(255);
  for (const whole = from + 32 * (count & -4); from < whole; from += 128, to += 32) {
    const a = i32x4.add(roundFour(f32x4.mul(v128.load(from), factor), rounder), offset);
    const b = i32x4.add(roundFour(f32x4.mul(v128.load(from, 32), factor), rounder), offset);
    const c = i32x4.add(roundFour(f32x4.mul(v128.load(from, 64), factor), rounder), offset);
    const d = i32x4.add(roundFour(f32x4.mul(v128.load(from, 96), factor), rounder), offset);
    const ab = v128.or(v128.and(a, byte), i32x4.shl(v128.and(b, byte), 8));
    const cd = v128.or(v128.and(c, byte), i32x4.shl(d, 8));
    v128.store(to, v128.or(ab, i32x4.shl(cd, 16)));
  }
  if (count < paddedCount) {
    let rest = i32x4.splat(0);
    for (let shift = 0; from < end; from += 32, shift += 8) {
      const numbers = i32x4.add(roundFour(f32x4.mul(v128.load(from), factor), rounder), offset);
      rest = v128.or(rest, i32x4.shl(v128.and(numbers, byte), shift));
    }
    v128.store(to, rest);
  }
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
