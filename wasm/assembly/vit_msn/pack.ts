// Weights come as rows [outputs][inputs] and are multiplied as panels of eight outputs.

import { F16, F32 } from "./linear";
import { PANEL } from "./simd";

/**
 * Packs eight rows as a panel; see `Linear`.
 *
 * @param rows eight rows of `inputs` numbers of the type
 */
export function pack(dtype: i32, rows: usize, inputs: i32, panel: usize): void {
  if (dtype == F32) packF32(rows, inputs, panel);
  else if (dtype == F16) packF16(rows, inputs, panel);
  else packI8(rows, inputs, panel);
}

function packF32(rows: usize, inputs: i32, panel: usize): void {
  for (let k = 0; k < inputs; k++) {
    for (let column = 0; column < PANEL; column++, panel += 4) {
      store<f32>(panel, load<f32>(rows + 4 * (column * inputs + k)));
    }
  }
}

function packF16(rows: usize, inputs: i32, panel: usize): void {
  for (let k = 0; k < inputs; k++) {
    for (let column = 0; column < PANEL; column++, panel += 2) {
      store<u16>(panel, load<u16>(rows + 2 * (column * inputs + k)));
    }
  }
}

function packI8(rows: usize, inputs: i32, panel: usize): void {
  for (let k = 0; k < inputs; k += 4) {
    for (let column = 0; column < PANEL; column++, panel += 4) {
      const from = rows + column * inputs + k;
      for (let i = 0; i < 4; i++) {
        // What is past the end is multiplied by 0.
        store<u8>(panel + i, k + i < inputs ? load<i8>(from + i) + 64 : 0);
      }
    }
  }
}
