/** The brightness of a pixel from 0 to 255: Pillow's mode `L`, ITU-R 601-2 in 16-bit fixed point. */
export function luma(red: number, green: number, blue: number): number {
  return (19_595 * red + 38_470 * green + 7471 * blue + 0x8000) >> 16;
}
