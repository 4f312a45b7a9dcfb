import type { RawImage } from "../../../src/image/raw_image.ts";
import { uniform } from "../../random.ts";

/** An image of random bytes. */
export function noise(width: number, height: number, seed: number): RawImage {
  const random = uniform(seed);
  const data = Uint8Array.from({ length: 3 * width * height }, () => 256 * random());
  return { width, height, data };
}
