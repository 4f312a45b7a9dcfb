// Panels of matrices that change from step to step. Up to seven zeros pad the last one: the memory must be
// zero where nothing is written.

import { packF32 } from "./pack";
import { Tile } from "./simd";

/**
 * Packs rows as the columns of panels: x [rows][k] → [⌈rows / 8⌉][depth][8], of which the first k are written.
 *
 * @param x f32 [rows][k], `stride` bytes apart
 */
export function packRows(x: usize, stride: usize, rows: i32, k: i32, depth: i32, panels: usize): void {
  const panelBytes: usize = 4 * Tile.PANEL * depth;
  for (let row = 0; row < rows; row += Tile.PANEL, x += Tile.PANEL * stride, panels += panelBytes) {
    const count = min(<i32>Tile.PANEL, rows - row);
    if (count == Tile.PANEL) {
      packF32(x, stride, k, panels);
      continue;
    }
    for (let r = 0; r < count; r++) {
      for (let i = 0; i < k; i++) {
        store<f32>(panels + 4 * (Tile.PANEL * i + r), load<f32>(x + r * stride + 4 * i));
      }
    }
  }
}

/**
 * Packs columns as they are: x [rows][columns] → [⌈columns / 8⌉][depth][8], of which the first `rows` are
 * written.
 *
 * @param x f32 [rows][columns], `stride` bytes apart
 */
export function packColumns(
  x: usize,
  stride: usize,
  rows: i32,
  columns: i32,
  depth: i32,
  panels: usize,
): void {
  const panelBytes: usize = 4 * Tile.PANEL * depth;
  for (let column = 0; column < columns; column += Tile.PANEL, x += 4 * Tile.PANEL, panels += panelBytes) {
    packPanel(x, stride, rows, min(<i32>Tile.PANEL, columns - column), panels);
  }
}

/** x [rows][count] → [rows][8], of which the first `count` columns are written; count is at most 8. */
export function packPanel(x: usize, stride: usize, rows: i32, count: i32, panel: usize): void {
  const end = panel + 32 * rows;
  if (count == Tile.PANEL) {
    for (; panel < end; panel += 32, x += stride) {
      v128.store(panel, v128.load(x));
      v128.store(panel, v128.load(x, 16), 16);
    }
    return;
  }
  for (; panel < end; panel += 32, x += stride) memory.copy(panel, x, 4 * count);
}
