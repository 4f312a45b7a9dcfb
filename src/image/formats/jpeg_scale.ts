/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * By how much a JPEG is scaled down while it is decoded: as far as it stays as large as `minimum`.
 *
 * @param image its size as it is stored.
 * @param minimum also as it is stored; without it, the image keeps its size.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jpegScale } from "./jpeg_scale.ts";
 *
 * assertEquals(jpegScale({ width: 4000, height: 3000 }, { width: 500, height: 500 }), 4);
 * ```
 */
export function jpegScale({ width, height }: Size, minimum?: Size): 1 | 2 | 4 | 8 {
  for (const scale of minimum ? [8, 4, 2] as const : []) {
    const isEnough = Math.ceil(width / scale) >= minimum!.width &&
      Math.ceil(height / scale) >= minimum!.height;
    if (isEnough) return scale;
  }
  return 1;
}

/** Swaps width and height for the orientations of EXIF that do so: from 5 on. */
export function asStored<S extends Size | undefined>(size: S, orientation: number): Size | S {
  return size && orientation >= 5 ? { width: size.height, height: size.width } : size;
}
