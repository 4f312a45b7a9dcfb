import { assertEquals } from "@std/assert";
import type { RawImage } from "../../../src/image/raw_image.ts";
import { crop } from "../../../src/image/transform/crop.ts";
import type { Resampling } from "../../../src/image/transform/resampling.ts";
import { resize } from "../../../src/image/transform/resize.ts";
import { gaussianBlur } from "../../../src/train/augmentation/gaussian_blur.ts";
import { grayscale } from "../../../src/train/augmentation/grayscale.ts";
import { mirror } from "../../../src/train/augmentation/mirror.ts";
import { adjustBrightness } from "../../../src/train/augmentation/operations/adjust_brightness.ts";
import { adjustContrast } from "../../../src/train/augmentation/operations/adjust_contrast.ts";
import { adjustHue } from "../../../src/train/augmentation/operations/adjust_hue.ts";
import { adjustSaturation } from "../../../src/train/augmentation/operations/adjust_saturation.ts";
import { adjustSharpness } from "../../../src/train/augmentation/operations/adjust_sharpness.ts";
import { affine, type AffineMatrix } from "../../../src/train/augmentation/operations/affine.ts";
import { autoContrast } from "../../../src/train/augmentation/operations/auto_contrast.ts";
import { equalize } from "../../../src/train/augmentation/operations/equalize.ts";
import { posterize } from "../../../src/train/augmentation/operations/posterize.ts";
import { rotate } from "../../../src/train/augmentation/operations/rotate.ts";
import { solarize } from "../../../src/train/augmentation/operations/solarize.ts";
import { sha256 } from "../../golden/golden.ts";
import golden from "../../golden/augmentations.json" with { type: "json" };

type Operation = (image: RawImage, ...numbers: number[]) => RawImage;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  adjust_brightness: adjustBrightness,
  adjust_contrast: adjustContrast,
  adjust_saturation: adjustSaturation,
  adjust_hue: adjustHue,
  adjust_sharpness: adjustSharpness,
  grayscale,
  gaussian_blur: gaussianBlur,
  auto_contrast: autoContrast,
  equalize,
  posterize,
  solarize,
  rotate,
  affine: (image, ...matrix) => affine(image, matrix as unknown as AffineMatrix),
  mirror,
};

/** The pictures of `make_augmentations.py`. */
const PICTURES = {
  small: picture(9, 7, value),
  dull: picture(20, 20, (x, y, c) => 60 + Math.floor(value(x, y, c) / 2)),
  colours: picture(108, 54, (x, y, c) => 15 * (Math.floor((108 * y + x) / 18 ** c) % 18)),
};

function value(x: number, y: number, c: number): number {
  return (x * x * 7 + y * 13 + c * 61 + (x ^ y) * 5) % 256;
}

function picture(
  width: number,
  height: number,
  formula: (x: number, y: number, c: number) => number,
): RawImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[i++] = formula(x, y, c);
    }
  }
  return { width, height, data };
}

function run(operation: string, image: RawImage, args: readonly (number | string)[]): RawImage {
  if (operation !== "crop_and_resize") return OPERATIONS[operation]!(image, ...args as number[]);
  const [left, top, width, height, outHeight, outWidth] = args as number[];
  const cropped = crop(image, left!, top!, width!, height!);
  return resize(cropped, outWidth!, outHeight!, args[6] as Resampling);
}

for (const { operation, arguments: args, small, sha256: digests } of golden.cases) {
  Deno.test(`augmentations give Pillow's bytes: ${operation}(${args.join(", ")})`, async () => {
    assertEquals(run(operation, PICTURES.small, args).data, Uint8Array.fromBase64(small));
    for (const name of ["dull", "colours"] as const) {
      const before = PICTURES[name].data.slice();
      assertEquals(
        await sha256(run(operation, PICTURES[name], args).data),
        digests[name],
        `${name} picture`,
      );
      assertEquals(PICTURES[name].data, before, "the image itself is not changed");
    }
  });
}
