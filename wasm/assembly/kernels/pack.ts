// Weights arrive as rows [outputs][inputs]; the tiles read them as panels of eight outputs.

import { DType } from "./linear";
import { Tile } from "./simd";

/**
 * Packs eight rows as a panel: [8][inputs] → [inputs][8], or u8 [⌈inputs / 4⌉][8][4]; see `Linear`.
 *
 * @param rows f32, f16 or i8 [8][inputs]
 * @returns whether all numbers are valid: f16 must be finite, i8 from -64 to 63
 */
export function pack(dtype: DType, rows: usize, inputs: i32, panel: usize): bool {
  if (dtype == DType.F32) return packF32(rows, 4 * inputs, inputs, panel);
  if (dtype == DType.F16) return packF16(rows, inputs, panel);
  return packI8(rows, inputs, panel);
}

/** f32 [8][inputs], `stride` bytes apart → [inputs][8]. */
export function packF32(rows: usize, stride: usize, inputs: i32, panel: usize): bool {
  const whole = rows + 4 * (inputs & -4);
  const end = rows + 4 * inputs;
  for (; rows < whole; rows += 16, panel += 128) {
    transposeFour(rows, stride, panel);
    transposeFour(rows + 4 * stride, stride, panel + 16);
  }
  for (; rows < end; rows += 4) {
    let from = rows;
    for (let column = 0; column < Tile.PANEL; column++, panel += 4, from += stride) {
      store<f32>(panel, load<f32>(from));
    }
  }
  return true;
}

/** f32 [4][4] → its transpose, rows 32 bytes apart. */
// @ts-ignore: decorator
@inline
function transposeFour(rows: usize, stride: usize, out: usize): void {
  const a = v128.load(rows);
  const b = v128.load(rows + stride);
  const c = v128.load(rows + 2 * stride);
  const d = v128.load(rows + 3 * stride);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(out, v128.shuffle<i64>(ab, cd, 1, 3), 32);
  v128.store(out, v128.shuffle<i64>(ab2, cd2, 0, 2), 64);
  v128.store(out, v128.shuffle<i64>(ab2, cd2, 1, 3), 96);
}

function packF16(rows: usize, inputs: i32, panel: usize): bool {
  const stride: usize = 2 * inputs;
  const exponent = i16x8.splat(0x7c00);
  let largest = i16x8.splat(0);
  for (const end = rows + stride; rows < end; rows += 2, panel += 16) {
    let from = rows;
    let eight = v128.load16_splat(from);
    eight = v128.load16_lane(from += stride, eight, 1);
    eight = v128.load16_lane(from += stride, eight, 2);
    eight = v128.load16_lane(from += stride, eight, 3);
    eight = v128.load16_lane(from += stride, eight, 4);
    eight = v128.load16_lane(from += stride, eight, 5);
    eight = v128.load16_lane(from += stride, eight, 6);
    eight = v128.load16_lane(from += stride, eight, 7);
    v128.store(panel, eight);
    largest = i16x8.max_s(largest, v128.and(eight, exponent));
  }
  return !v128.any_true(i16x8.eq(largest, exponent)); // infinity or NaN
}

function packI8(rows: usize, inputs: i32, panel: usize): bool {
  const offset = i8x16.splat(64);
  const stride: usize = inputs;
  let excess = i8x16.splat(0);
  const end = rows + (inputs & -4);
  for (; rows < end; rows += 4, panel += 32) {
    const left = i8x16.add(fourRows(rows, stride), offset);
    const right = i8x16.add(fourRows(rows + 4 * stride, stride), offset);
    v128.store(panel, left);
    v128.store(panel, right, 16);
    excess = v128.or(excess, v128.or(left, right));
  }
  let fits = i8x16.bitmask(excess) == 0;
  const rest = inputs & 3; // the activations past the end of a row are 0
  for (let column = 0; column < Tile.PANEL && rest; column++, panel += 4, rows += stride) {
    for (let i = 0; i < rest; i++) {
      const number = load<i8>(rows + i) + 64;
      store<u8>(panel + i, number);
      if (number & ~127) fits = false;
    }
  }
  return fits;
}

/** Four bytes of each of four rows. */
// @ts-ignore: decorator
@inline
function fourRows(rows: usize, stride: usize): v128 {
  let bytes = v128.load32_zero(rows);
  bytes = v128.load32_lane(rows + stride, bytes, 1);
  bytes = v128.load32_lane(rows + 2 * stride, bytes, 2);
  return v128.load32_lane(rows + 3 * stride, bytes, 3);
}
