import { Scratch } from "./scratch";
import { Tile } from "./simd";
import { TILE_STRIDE } from "./target";
import { multiplyF32, PANELS_F32 } from "./tile/f32";

/** A multiple of the rows of all tiles of f32. */
const WHOLE_ROWS: i32 = 4;

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
  const panelBytes: usize = 4 * Tile.PANEL * k;
  const tile = scratch.tile;
  for (let column = 0; column < columns;) {
    const panels = min(PANELS_F32, (columns - column) / Tile.PANEL);
    const bytes: usize = 4 * Tile.PANEL * panels;
    for (let row = 0; row < rows; row += Tile.STRIP_ROWS) {
      const count = min(<i32>Tile.STRIP_ROWS, rows - row);
      let to = out + row * outStride + 4 * column;
      // Tiles that are whole do not write past the last row.
      if (!adds && !bias && count % WHOLE_ROWS == 0) {
        multiplyF32(a + row * stride, stride, count, b, panels, panelBytes, k, to, outStride);
        continue;
      }
      multiplyF32(a + row * stride, stride, count, b, panels, panelBytes, k, tile, TILE_STRIDE);
      let from = tile;
      for (const end = tile + TILE_STRIDE * count; from < end; from += TILE_STRIDE, to += outStride) {
        if (adds) {
          for (let i: usize = 0; i < bytes; i += 16) {
            v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
          }
        } else if (bias) {
          const offsets = bias + 4 * column;
          for (let i: usize = 0; i < bytes; i += 16) {
            v128.store(to + i, f32x4.add(v128.load(offsets + i), v128.load(from + i)));
          }
        } else {
          for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
        }
      }
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
    column += panels * Tile.PANEL;
    b += panels * panelBytes;
  }
}
