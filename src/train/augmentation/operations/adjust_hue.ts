import type { RawImage } from "../../../image/raw_image.ts";

/**
 * Turns the colours around the colour wheel: 0.5 and -0.5 give the complementary colours. Byte for byte
 * torchvision's `adjust_hue`: the image becomes Pillow's 8-bit `HSV` and back, so that even a shift of 0
 * changes some levels.
 *
 * @param shift the part of a turn, from -0.5 to 0.5.
 * @throws {RangeError} if the shift is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adjustHue } from "./adjust_hue.ts";
 *
 * const red = { width: 1, height: 1, data: Uint8Array.of(255, 0, 0) };
 * assertEquals(adjustHue(red, 0.5).data, Uint8Array.of(0, 255, 252));
 * ```
 */
export function adjustHue({ width, height, data }: RawImage, shift: number): RawImage {
  if (!(Math.abs(shift) <= 0.5)) {
    throw new RangeError(`Cannot adjust the hue: the shift is ${shift}; give one from -0.5 to 0.5`);
  }
  const turn = Math.trunc(shift * 255);
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const red = data[i]!;
    const green = data[i + 1]!;
    const blue = data[i + 2]!;
    const value = Math.max(red, green, blue);
    const range = value - Math.min(red, green, blue);
    const saturation = range === 0 ? 0 : Math.trunc(Math.fround(range / value) * 255);
    if (saturation === 0) {
      out[i] = out[i + 1] = out[i + 2] = value;
      continue;
    }
    // A byte: 255 steps make a turn and yet 255 + 1 is 0, as in torchvision.
    const hue = hueOf(red, green, blue, value, range) + turn & 255;
    // Pillow's hsv2rgb; f32 is rounded where C keeps a float.
    const sector = Math.floor(hue * 6 / 255);
    const fraction = Math.fround(hue * 6 / 255 - sector);
    const strength = Math.fround(saturation / 255);
    const p = Math.round(value * (1 - strength));
    const q = Math.round(value * (1 - Math.fround(strength * fraction)));
    const t = Math.round(value * (1 - strength * (1 - fraction)));
    switch (sector % 6) {
      case 0:
        out[i] = value, out[i + 1] = t, out[i + 2] = p;
        break;
      case 1:
        out[i] = q, out[i + 1] = value, out[i + 2] = p;
        break;
      case 2:
        out[i] = p, out[i + 1] = value, out[i + 2] = t;
        break;
      case 3:
        out[i] = p, out[i + 1] = q, out[i + 2] = value;
        break;
      case 4:
        out[i] = t, out[i + 1] = p, out[i + 2] = value;
        break;
      default:
        out[i] = value, out[i + 1] = p, out[i + 2] = q;
    }
  }
  return { width, height, data: out };
}

/** Pillow's rgb2hsv: the hue of a pixel that is not grey, from 0 to 255. */
function hueOf(red: number, green: number, blue: number, value: number, range: number): number {
  const rc = Math.fround((value - red) / range);
  const gc = Math.fround((value - green) / range);
  const bc = Math.fround((value - blue) / range);
  const sector = Math.fround(
    red === value ? bc - gc : green === value ? 2 + rc - bc : 4 + gc - rc,
  );
  return Math.trunc(Math.fround((sector / 6 + 1) % 1) * 255);
}
