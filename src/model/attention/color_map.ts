/**
 * Matplotlib's `inferno` at every tenth, sRGB (Smith & van der Walt 2015, CC0): from black over red to a pale
 * yellow in steps of equal lightness, so that it reads without colour too.
 */
const INFERNO = [
  0x000004,
  0x160b39,
  0x420a68,
  0x6a176e,
  0x932667,
  0xbc3754,
  0xdd513a,
  0xf37819,
  0xfca50a,
  0xf6d746,
  0xfcffa4,
];

/** How many colours the table has. */
export const COLORS = 256;

/** Makes the colour map [256, 3]: R, G and B from the least to the most, interpolated between the tenths. */
export function colorMap(): Uint8Array {
  return Uint8Array.from({ length: 3 * COLORS }, (_, i) => {
    const place = Math.floor(i / 3) / (COLORS - 1) * (INFERNO.length - 1);
    const index = Math.min(Math.floor(place), INFERNO.length - 2);
    const shift = 8 * (2 - i % 3);
    const [from, to] = [INFERNO[index]! >> shift & 255, INFERNO[index + 1]! >> shift & 255];
    return Math.round(from + (place - index) * (to - from));
  });
}
