import type { RawImage } from "../../image/raw_image.ts";
import { adjustBrightness } from "./operations/adjust_brightness.ts";
import { adjustContrast } from "./operations/adjust_contrast.ts";
import { adjustHue } from "./operations/adjust_hue.ts";
import { adjustSaturation } from "./operations/adjust_saturation.ts";

/** How far the colours of an image are changed; 0, the default, leaves a property as it is. */
export interface ColorJitterOptions {
  /** The factor is uniform in [max(0, 1 - brightness), 1 + brightness]. */
  readonly brightness?: number;
  /** As for `brightness`. */
  readonly contrast?: number;
  /** As for `brightness`. */
  readonly saturation?: number;
  /** The shift is uniform in [-hue, hue] turns of the colour wheel; at most 0.5. */
  readonly hue?: number;
}

/** Factors beyond 256 make every level but 0 white. */
const MAX_STRENGTH = 255;

/**
 * Changes brightness, contrast, saturation and hue by random amounts, in random order: torchvision's
 * `ColorJitter` of a PIL image.
 *
 * @param random uniform numbers in [0, 1): three for the order, then one for each of the four.
 * @throws {RangeError} if an option is negative, `hue` above 0.5, or another one above 255.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { colorJitter } from "./color_jitter.ts";
 *
 * const image = { width: 1, height: 1, data: Uint8Array.of(90, 120, 30) };
 * const options = { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };
 * assertEquals(colorJitter(image, options, uniform(1)), colorJitter(image, options, uniform(1)));
 * assertEquals(colorJitter(image, {}, uniform(1)), image);
 * ```
 */
export function colorJitter(
  image: RawImage,
  { brightness = 0, contrast = 0, saturation = 0, hue = 0 }: ColorJitterOptions,
  random: () => number,
): RawImage {
  checkStrength("brightness", brightness, MAX_STRENGTH);
  checkStrength("contrast", contrast, MAX_STRENGTH);
  checkStrength("saturation", saturation, MAX_STRENGTH);
  checkStrength("hue", hue, 0.5);
  const steps = [
    { strength: brightness, adjust: adjustBrightness, centre: 1 },
    { strength: contrast, adjust: adjustContrast, centre: 1 },
    { strength: saturation, adjust: adjustSaturation, centre: 1 },
    { strength: hue, adjust: adjustHue, centre: 0 },
  ];
  for (let i = steps.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [steps[i], steps[j]] = [steps[j]!, steps[i]!];
  }
  for (const { strength, adjust, centre } of steps) {
    const low = centre === 1 ? Math.max(0, 1 - strength) : -strength;
    const amount = low + (centre + strength - low) * random();
    if (strength > 0) image = adjust(image, amount);
  }
  return image;
}

function checkStrength(name: string, strength: number, max: number): void {
  if (!(strength >= 0 && strength <= max)) {
    throw new RangeError(
      `Cannot change the colours: ${name} is ${strength}; give a number from 0 to ${max}`,
    );
  }
}
