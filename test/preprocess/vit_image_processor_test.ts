import { assertEquals, assertThrows } from "@std/assert";
import { parsePreprocessorConfig } from "../../src/preprocess/preprocessor_config.ts";
import { ViTImageProcessor } from "../../src/preprocess/vit_image_processor.ts";
import { sha256 } from "../golden/golden.ts";
import golden from "../golden/vit_image_processor.json" with { type: "json" };

const { width, height, data } = golden.decoded;
const image = { width, height, data: Uint8Array.fromBase64(data) };
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
/** Leaves levels as they are, so that pixel_values are the resized picture, channels first. */
const AS_LEVELS = { do_rescale: false, do_normalize: false };

function preprocess(config: Record<string, unknown>) {
  return new ViTImageProcessor(parsePreprocessorConfig(config)).preprocess([image]);
}

/** [3, H, W] as [H, W, 3] bytes. */
function interleaved(planes: Float32Array): Uint8Array {
  const pixels = planes.length / 3;
  return Uint8Array.from(planes, (_, i) => planes[(i % 3) * pixels + Math.floor(i / 3)]!);
}

Deno.test("ViTImageProcessor gives the reference's pixel_values, bit for bit", async () => {
  const { shape, data } = preprocess({ size: { height: 224, width: 224 }, ...IMAGENET });
  assertEquals(shape, [1, 3, 224, 224]);
  assertEquals(await sha256(data), golden.sha256.pixel_values);
});

for (const [resample, name] of [[1, "lanczos"], [2, "bilinear"], [3, "bicubic"]] as const) {
  Deno.test(`ViTImageProcessor takes resample ${resample} as ${name}`, async () => {
    const { data } = preprocess({ size: 224, resample, ...AS_LEVELS });
    assertEquals(await sha256(interleaved(data)), golden.sha256[`resize_${name}`]);
  });
}

Deno.test("ViTImageProcessor resizes the shorter side and crops the centre", async () => {
  const { shape, data } = preprocess({
    size: { shortest_edge: 256 },
    do_center_crop: true,
    crop_size: 224,
    ...AS_LEVELS,
  });
  assertEquals(shape, [1, 3, 224, 224]);
  assertEquals(await sha256(interleaved(data)), golden.sha256.resize256_crop224);
});

Deno.test("ViTImageProcessor truncates the long side", () => {
  const processor = new ViTImageProcessor(parsePreprocessorConfig({ size: { shortest_edge: 3 } }));
  const wide = { width: 7, height: 4, data: new Uint8Array(7 * 4 * 3) };
  const tall = { width: 4, height: 7, data: new Uint8Array(7 * 4 * 3) };
  assertEquals(processor.preprocess([wide]).shape, [1, 3, 3, 5]); // 5.25
  assertEquals(processor.preprocess([tall]).shape, [1, 3, 5, 3]);
});

Deno.test("ViTImageProcessor makes batches and refuses uneven or empty ones", () => {
  const processor = new ViTImageProcessor(parsePreprocessorConfig({ do_resize: false }));
  const pixel = (level: number) => ({ width: 1, height: 1, data: new Uint8Array(3).fill(level) });
  const { shape, data } = processor.preprocess([pixel(0), pixel(255)]);
  assertEquals(shape, [2, 3, 1, 1]);
  assertEquals(data, Float32Array.of(-1, -1, -1, 1, 1, 1));
  assertThrows(() => processor.preprocess([pixel(0), image]), RangeError, "image 1 becomes");
  assertThrows(() => processor.preprocess([]), RangeError, "the list of images is empty");
});

Deno.test("ViTImageProcessor cuts as much off the left and the top, half of odd numbers to even", () => {
  const config = { do_resize: false, do_center_crop: true, crop_size: { height: 4, width: 4 } };
  const processor = new ViTImageProcessor(parsePreprocessorConfig({ ...config, ...AS_LEVELS }));
  // The level is the column: of 7 columns 3 are over, of 5 one is.
  const columns = (width: number) => {
    const data = Uint8Array.from({ length: 3 * width * 4 }, (_, i) => Math.floor(i / 3) % width);
    return [...processor.preprocess([{ width, height: 4, data }]).data.subarray(0, 4)];
  };
  assertEquals(columns(7), [2, 3, 4, 5]);
  assertEquals(columns(5), [0, 1, 2, 3]);
  assertEquals(columns(6), [1, 2, 3, 4]);
});

Deno.test("ViTImageProcessor refuses a strip that would be resized to millions of pixels", () => {
  const processor = new ViTImageProcessor(
    parsePreprocessorConfig({ size: { shortest_edge: 224 } }),
  );
  const strip = { width: 16_384, height: 1, data: new Uint8Array(3 * 16_384) };
  assertThrows(() => processor.preprocess([strip]), RangeError, "16384 × 1");
});

Deno.test("ViTImageProcessor refuses to crop more than there is", () => {
  const config = { size: 8, do_center_crop: true, crop_size: 9 };
  assertThrows(() => preprocess(config), RangeError, "9 × 9 out of an image of 8 × 8");
});

Deno.test("parsePreprocessorConfig() names the setting that it cannot use", () => {
  for (
    const [name, value] of Object.entries({
      size: { height: 0, width: 3 },
      crop_size: 1e7,
      resample: 5,
      do_resize: "yes",
      rescale_factor: "1/255",
      image_mean: [0.5],
      image_std: [0.5, 0, 0.5],
    })
  ) {
    assertThrows(() => parsePreprocessorConfig({ [name]: value }), TypeError, name);
  }
  assertThrows(() => parsePreprocessorConfig([]), TypeError);
});
