import type { PreprocessorConfig, RawImage, Tensor } from "../../mod.ts";

/**
 * The pixels that a model's `pixel_values` were made of, after resizing and cropping: the way back through
 * rescaling and normalising. Preprocessing them again gives the same numbers.
 *
 * @param pixelValues [1, 3, H, W]
 */
export function toPixels(
  { shape: [, , height, width], data }: Tensor<"float32">,
  { doRescale, rescaleFactor, doNormalize, imageMean, imageStd }: PreprocessorConfig,
): RawImage {
  const area = width! * height!;
  const pixels = new Uint8Array(3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const [mean, std] = doNormalize ? [imageMean[channel]!, imageStd[channel]!] : [0, 1];
    const factor = doRescale ? rescaleFactor : 1;
    for (let i = 0; i < area; i++) {
      pixels[3 * i + channel] = Math.round((data[channel * area + i]! * std + mean) / factor);
    }
  }
  return { width: width!, height: height!, data: pixels };
}
