import { assert, assertEquals, assertThrows } from "@std/assert";
import type { RawImage } from "../../../src/image/raw_image.ts";
import type { AttentionMap } from "../../../src/model/attention/attention_map.ts";
import { colorMap } from "../../../src/model/attention/color_map.ts";
import { overlayAttention } from "../../../src/model/attention/overlay_attention.ts";
import { parsePreprocessorConfig } from "../../../src/preprocess/preprocessor_config.ts";
import { seenBox } from "../../../src/preprocess/seen_box.ts";
import { ViTImageProcessor } from "../../../src/preprocess/vit_image_processor.ts";

const LEAST = [0, 0, 4];
const MOST = [252, 255, 164];

function flat(width: number, height: number, level = 100): RawImage {
  return { width, height, data: new Uint8Array(3 * width * height).fill(level) };
}

function mapOf(rows: number, columns: number, weights: number[], more = {}): AttentionMap {
  return {
    rows,
    columns,
    layer: 0,
    head: 0,
    rollout: false,
    weights: Float32Array.from(weights),
    ...more,
  };
}

const pixel = ({ width, data }: RawImage, x: number, y: number) => [
  ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
];

Deno.test("overlayAttention() gives each patch its part of the photo", () => {
  const map = mapOf(2, 3, [0, 1, 0, 1, 0, 1]);
  const image = overlayAttention(flat(9, 4), map, { opacity: 1, resampling: "nearest" });
  for (let y = 0; y < 4; y++) {
    for (let x = 0; x < 9; x++) {
      const weight = map.weights[3 * Math.floor(y / 2) + Math.floor(x / 3)];
      assertEquals(pixel(image, x, y), weight === 1 ? MOST : LEAST, `${x}, ${y}`);
    }
  }
});

Deno.test("overlayAttention() interpolates between the centres of patches", () => {
  const map = mapOf(1, 2, [0, 1]);
  const image = overlayAttention(flat(8, 1), map, { opacity: 1 });
  assertEquals(pixel(image, 0, 0), LEAST);
  assertEquals(pixel(image, 7, 0), MOST);
  const green = Array.from({ length: 8 }, (_, x) => pixel(image, x, 0)[1]!);
  assertEquals(green, green.toSorted((a, b) => a - b));
  // 1/8, 3/8, 5/8, 7/8 of the way, between the centres 2 and 6.
  const middle = [
    ...colorMap().subarray(3 * Math.round(255 * 5 / 8), 3 * Math.round(255 * 5 / 8) + 3),
  ];
  assertEquals(pixel(image, 4, 0), middle);
});

Deno.test("overlayAttention() shows dropped patches grey, and dims those below the threshold", () => {
  const map = mapOf(1, 4, [0.1, NaN, 0.4, 0.2], { mask: Uint8Array.of(0, 0, 1, 0) });
  const image = overlayAttention(flat(4, 1), map, { opacity: 0.5 });
  assertEquals(pixel(image, 0, 0), [35, 35, 35]);
  assertEquals(pixel(image, 1, 0), [183, 183, 183]); // 100 + 0.75 (211 - 100)
  assertEquals(pixel(image, 2, 0), MOST.map((most) => Math.round(100 + 0.5 * (most - 100))));
  assertEquals(pixel(image, 3, 0), [35, 35, 35]);
});

Deno.test("overlayAttention() draws only where the model looked", () => {
  const box = { left: 0.25, top: 0, width: 0.5, height: 0.5 };
  const image = overlayAttention(flat(8, 4), mapOf(1, 1, [0.3], { box }), { opacity: 0 });
  for (let y = 0; y < 4; y++) {
    for (let x = 0; x < 8; x++) {
      const isSeen = x >= 2 && x < 6 && y < 2;
      assertEquals(pixel(image, x, y)[0], isSeen ? 100 : 35, `${x}, ${y}`);
    }
  }
  assertThrows(
    () => overlayAttention(flat(1, 1), mapOf(1, 1, [1]), { opacity: 2 }),
    RangeError,
    "the opacity is 2",
  );
});

for (
  const [name, config, size] of [
    ["squashes", { size: { height: 32, width: 32 } }, [90, 60]],
    ["resizes and crops", {
      size: { shortest_edge: 40 },
      do_center_crop: true,
      crop_size: 32,
    }, [90, 60]],
    ["resizes and crops a tall photo", {
      size: { shortest_edge: 36 },
      do_center_crop: true,
      crop_size: { height: 32, width: 24 },
    }, [60, 151]],
    ["only crops", { do_resize: false, do_center_crop: true, crop_size: 32 }, [75, 50]],
    ["does neither", { do_resize: false }, [32, 24]],
  ] as const
) {
  Deno.test(`seenBox() is where the model's pixels come from if the processor ${name}`, () => {
    const processor = new ViTImageProcessor(parsePreprocessorConfig(config));
    const [width, height] = size;
    // Each pixel says where it is: red from left to right, green from top to bottom.
    const photo = flat(width, height, 0);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        photo.data[3 * (y * width + x)] = Math.round(255 * (x + 0.5) / width);
        photo.data[3 * (y * width + x) + 1] = Math.round(255 * (y + 0.5) / height);
      }
    }
    const seen = processor.resizeAndCrop(photo);
    const box = seenBox(processor.config, photo);
    for (const [x, y] of [[0.2, 0.3], [0.5, 0.5], [0.9, 0.8]] as const) {
      const [column, row] = [Math.floor(x * seen.width), Math.floor(y * seen.height)];
      const [red, green] = pixel(seen, column, row) as [number, number];
      const left = box.left + box.width * (column + 0.5) / seen.width;
      const top = box.top + box.height * (row + 0.5) / seen.height;
      assert(Math.abs(red - 255 * left) < 3, `${red} is not at ${left}`);
      assert(Math.abs(green - 255 * top) < 3, `${green} is not at ${top}`);
    }
  });
}

Deno.test("the colour map becomes lighter in equal steps", () => {
  const colors = colorMap();
  const lightness = Array.from({ length: 256 }, (_, i) => {
    const [r, g, b] = [...colors.subarray(3 * i, 3 * i + 3)].map((level) => {
      const share = level / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance;
  });
  for (let i = 16; i < 256; i += 16) {
    const step = lightness[i]! - lightness[i - 16]!;
    assert(step > 2 && step < 10, `${i}: ${step}`); // 98 in 16 steps: 6.1
  }
});
