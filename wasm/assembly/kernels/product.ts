import { Scratch } from "./scratch";
import { Tile } from "./simd";
import { TILE_STRIDE } from "./target";
import { multiplyF32, ROWS_F32 } from "./tile/f32";

/**
 * out = A · B + bias, or out += A · B
 *
 * @param a f32 [rows][k], `stride` bytes apart; up to Tile.ROWS_PAST rows are read past the last
 * @param b f32 panels [columns / 8][k][8]
 * @param columns a multiple of 8
 * @param bias f32 [columns], or 0
 * @param adds whether the product is added to what is there
 * @param out f32 [rows][columns], `outStride` bytes apart
 */
export function product(
  a: usize,
  stride: usize,
  rows: i32,
  b: usize,
  k: i32,
  columns: i32,
  bias: usize,
  adds: bool,
  out: usize,
  outStride: usize,
  scratch: Scratch,
): void {
  const tile = scratch.tile;
  for (let column = 0; column < columns; column += Tile.PANEL, b += 4 * Tile.PANEL * k) {
    for (let row = 0; row < rows; row += Tile.STRIP_ROWS) {
      const count = min(<i32>Tile.STRIP_ROWS, rows - row);
      let to = out + row * outStride + 4 * column;
      // Tiles that are whole do not write past the last row.
      if (!adds && !bias && count % ROWS_F32 == 0) {
        multiplyF32(a + row * stride, stride, count, b, k, to, outStride);
        continue;
      }
      multiplyF32(a + row * stride, stride, count, b, k, tile, TILE_STRIDE);
      let left = f32x4.splat(0), right = left;
      if (bias) left = v128.load(bias + 4 * column), right = v128.load(bias + 4 * column, 16);
      for (let from = tile; from < tile + TILE_STRIDE * count; from += TILE_STRIDE, to += outStride) {
        if (adds) left = v128.load(to), right = v128.load(to, 16);
        v128.store(to, f32x4.add(left, v128.load(from)));
        v128.store(to, f32x4.add(right, v128.load(from, 16)), 16);
      }
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}
