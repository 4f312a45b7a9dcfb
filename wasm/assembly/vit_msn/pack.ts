// Weights come as rows [outputs][inputs] and are multiplied as panels of eight outputs.

import { F16, F32 } from "./linear";
import { PANEL } from "./simd";

/**
 * Packs eight rows as a panel; see `Linear`.
 *
 * @param rows eight rows of `inputs` numbers of the type
 * @returns whether the kernels can take all of the numbers: f16 must be finite, i8 from -64 to 63
 */
export function pack(dtype: i32, rows: usize, inputs: i32, panel: usize): bool {
  if (dtype == F32) return packF32(rows, inputs, panel);
  if (dtype == F16) return packF16(rows, inputs, panel);
  return packI8(rows, inputs, panel);
}

function packF32(rows: usize, inputs: i32, panel: usize): bool {
  const stride: usize = 4 * inputs;
  for (let k = 0; k < inputs; k++, rows += 4) {
    let from = rows;
    for (let column = 0; column < PANEL; column++, panel += 4, from += stride) {
      store<f32>(panel, load<f32>(from));
    }
  }
  return true;
}

function packF16(rows: usize, inputs: i32, panel: usize): bool {
  const stride: usize = 2 * inputs;
  let fits = true;
  for (let k = 0; k < inputs; k++, rows += 2) {
    let from = rows;
    for (let column = 0; column < PANEL; column++, panel += 2, from += stride) {
      const half = load<u16>(from);
      store<u16>(panel, half);
      if ((half & 0x7c00) == 0x7c00) fits = false; // infinity or NaN
    }
  }
  return fits;
}

function packI8(rows: usize, inputs: i32, panel: usize): bool {
  let excess = 0;
  for (let k = 0; k < inputs; k += 4, rows += 4) {
    let from = rows;
    for (let column = 0; column < PANEL; column++, panel += 4, from += inputs) {
      // What is past the end of a row is multiplied by 0.
      const count = min(4, inputs - k);
      for (let i = 0; i < count; i++) {
        const number = load<i8>(from + i) + 64;
        store<u8>(panel + i, number);
        excess |= number;
      }
    }
  }
  return (excess & ~127) == 0;
}
