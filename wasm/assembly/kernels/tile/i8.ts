// The innermost loops of int8: tiles of a matrix product A · B, whose sums stay in registers.
//
// A is [rows][4 · groups], its rows `stride` bytes apart; B is a panel, eight columns of a matrix in
// groups of four numbers of k: [groups][8][4]. All sums are exact, so every kernel gives the same bits.

import { hasOneInstructionDot, Signed } from "./dot";
import { pairTile, quadTile } from "./i8_pairwise";
import { dotTile } from "./i8_single";
import { wideTile, widenPanel } from "./i8_wide";

/**
 * out = A · B + starts.
 *
 * @param a 8-bit [rows][4 · groups], `stride` bytes apart; up to five rows are read past the last. If it is the
 *   signed side, its numbers are those of `quantizeRow`
 * @param b 8-bit [groups][8][4]
 * @param starts i32 [rows]; up to five are read past the last
 * @param wide room for B in 16 bits, where there is no relaxed SIMD: 64 · groups bytes
 * @param out i32 [rows][8], `outStride` bytes apart; up to five rows are written past the last
 */
export function multiplyI8(
  signed: Signed,
  a: usize,
  stride: usize,
  rows: i32,
  b: usize,
  groups: i32,
  starts: usize,
  wide: usize,
  out: usize,
  outStride: usize,
): void {
  // Only products of weights are worth a second kernel.
  const isSingle = hasOneInstructionDot && signed == Signed.A;
  const step = ASC_FEATURE_RELAXED_SIMD ? isSingle ? 6 : signed == Signed.A ? 4 : 5 : 4;
  if (!ASC_FEATURE_RELAXED_SIMD) widenPanel(b, groups, wide);
  for (let row = 0; row < rows; row += step) {
    if (!ASC_FEATURE_RELAXED_SIMD) wideTile(a, stride, wide, groups, starts, out, outStride);
    else if (isSingle) dotTile(a, stride, b, groups, starts, out, outStride);
    else if (signed == Signed.A) quadTile(a, stride, b, groups, starts, out, outStride);
    else pairTile(a, stride, b, groups, starts, out, outStride);
    a += step * stride;
    starts += 4 * step;
    out += step * outStride;
  }
}
