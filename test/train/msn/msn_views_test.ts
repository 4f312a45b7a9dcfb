import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import type { RawImage } from "../../../src/image/raw_image.ts";
import { parsePreprocessorConfig } from "../../../src/preprocess/preprocessor_config.ts";
import { ViTImageProcessor } from "../../../src/preprocess/vit_image_processor.ts";
import { luma } from "../../../src/train/augmentation/operations/luma.ts";
import { MsnViews, type MsnViewSettings } from "../../../src/train/msn/msn_views.ts";
import { noise } from "../augmentation/noise.ts";

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];
// It would resize to 20 and crop to 8: a view has its own size.
const processor = new ViTImageProcessor(parsePreprocessorConfig({
  size: { shortest_edge: 20 },
  do_center_crop: true,
  crop_size: 8,
  image_mean: MEAN,
  image_std: STD,
}));

const SETTINGS: MsnViewSettings = {
  rand_size: 32,
  focal_size: 16,
  rand_views: 2,
  focal_views: 3,
  color_jitter_strength: 0.5,
  blur_radius: 2,
  solarize: 0,
  seed: 1,
};

function views(settings: Partial<MsnViewSettings> = {}): MsnViews {
  return new MsnViews({ ...SETTINGS, ...settings }, processor);
}

const photo = noise(40, 30, 1);

/** An image whose pixels depend on their place. */
function drawn(
  width: number,
  height: number,
  color: (x: number, y: number) => readonly [number, number, number],
): RawImage {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(color(x, y), 3 * (y * width + x));
  }
  return { width, height, data };
}

/** One view of an image in each of many epochs. */
function inEpochs(
  count: number,
  image: RawImage,
  settings: Partial<MsnViewSettings>,
  kind: "random" | "focal" = "random",
): RawImage[] {
  const made = views({ rand_views: 1, focal_views: 1, color_jitter_strength: 0, ...settings });
  return Array.from({ length: count }, (_, epoch) => made.imagesOf(image, 0, epoch)[kind][0]!);
}

/** The part of the views of which something is true. */
function share(images: readonly RawImage[], isTrue: (image: RawImage) => boolean): number {
  return images.filter(isTrue).length / images.length;
}

const isGrey = ({ data }: RawImage) =>
  data.every((v, i) => v === data[i - i % 3] && v === data[i - i % 3 + 1]);

Deno.test("MSN's views are a target, random and focal views, of their sizes", () => {
  const { target, random, focal } = views().imagesOf(photo, 0, 0);
  const sizes = [target, ...random, ...focal].map(({ width, height }) => [width, height]);
  assertEquals(sizes, [32, 32, 32, 16, 16, 16].map((side) => [side, side]));
  const none = views({ rand_views: 0, focal_views: 0 }).imagesOf(photo, 0, 0);
  assertEquals([none.random, none.focal], [[], []]);
});

Deno.test("MSN's views of an image differ from one another, and by seed, epoch and image", () => {
  const distinct = new Set<string>();
  const all = [
    views().imagesOf(photo, 0, 0),
    views().imagesOf(photo, 1, 0),
    views().imagesOf(photo, 0, 1),
    views({ seed: 2 }).imagesOf(photo, 0, 0),
  ];
  for (const { target, random, focal } of all) {
    for (const { data } of [target, ...random, ...focal]) distinct.add(data.toBase64());
  }
  assertEquals(distinct.size, 4 * 6);
});

Deno.test("MSN's views do not depend on what was made before, nor change the image", () => {
  const before = photo.data.slice();
  const first = views().imagesOf(photo, 3, 5);
  const made = views();
  made.keptPatches(16, 8, 5);
  made.imagesOf(photo, 4, 5);
  made.pixelsOf(photo, 3, 6);
  assertEquals(made.imagesOf(photo, 3, 5), first);
  // Further focal views change none of the others.
  const more = views({ focal_views: 5 }).imagesOf(photo, 3, 5);
  assertEquals({ ...more, focal: more.focal.slice(0, 3) }, first);
  assertEquals(photo.data, before);
});

Deno.test("half of MSN's views are mirrored", () => {
  const ramp = drawn(64, 64, (x) => [4 * x, 4 * x, 4 * x]);
  for (const kind of ["random", "focal"] as const) {
    const images = inEpochs(500, ramp, {}, kind);
    const isMirrored = ({ width, data }: RawImage) => data[0]! > data[3 * (width - 1)]!;
    assertAlmostEquals(share(images, isMirrored), 0.5, 0.09, kind);
  }
});

Deno.test("the views of an image are mirrored independently of one another", () => {
  const ramp = drawn(64, 64, (x) => [4 * x, 4 * x, 4 * x]);
  const made = views({ color_jitter_strength: 0 });
  const together = new Uint32Array(6 * 6);
  for (let epoch = 0; epoch < 200; epoch++) {
    const { target, random, focal } = made.imagesOf(ramp, 0, epoch);
    const mirrored = [target, ...random, ...focal]
      .map(({ width, data }) => data[0]! > data[3 * (width - 1)]!);
    for (const [i, one] of mirrored.entries()) {
      for (const [j, other] of mirrored.entries()) {
        if (i < j && one === other) together[6 * i + j]!++;
      }
    }
  }
  for (let i = 0; i < 6; i++) {
    for (let j = i + 1; j < 6; j++) {
      assertAlmostEquals(together[6 * i + j]! / 200, 0.5, 0.15, `${i}, ${j}`);
    }
  }
});

Deno.test("MSN's views are grey, changed in colour and inverted as often as published", () => {
  const [r, g, b] = [200, 100, 50] as const;
  const flat = drawn(8, 8, () => [r, g, b]);
  assertAlmostEquals(share(inEpochs(500, flat, {}), isGrey), 0.2, 0.07, "grey");
  const grey = luma(r, g, b);
  const isUnchanged = ({ data }: RawImage) =>
    [[r, g, b], [grey, grey, grey]].some((color) => color.every((v, c) => v === data[c]));
  const changed = inEpochs(500, flat, { color_jitter_strength: 0.5 });
  assertAlmostEquals(share(changed, isUnchanged), 0.2, 0.07, "colours");
  assertEquals(share(inEpochs(100, flat, {}), isUnchanged), 1);
  const inverted = inEpochs(500, flat, { solarize: 0.3 });
  const isInverted = (image: RawImage) => image.data[0] === 55;
  assertAlmostEquals(share(inverted.filter((image) => !isGrey(image)), isInverted), 0.3, 0.1);
});

Deno.test("the strength of the change of colours bounds brightness by 0.8 s and hue by 0.2 s", () => {
  for (const strength of [0.25, 0.5]) {
    // Of a flat grey image, nothing but the brightness changes.
    const grey = drawn(8, 8, () => [100, 100, 100]);
    const levels = inEpochs(300, grey, { color_jitter_strength: strength })
      .map(({ data }) => data[0]!);
    assertAlmostEquals(Math.min(...levels), 100 * (1 - 0.8 * strength), 2);
    assertAlmostEquals(Math.max(...levels), 100 * (1 + 0.8 * strength), 2);
    const red = drawn(8, 8, () => [120, 40, 40]);
    const turns = inEpochs(300, red, { color_jitter_strength: strength })
      .filter((image) => !isGrey(image))
      .map(({ data: [r, g, b] }) => Math.abs(g! - b!) / (r! - Math.min(g!, b!)) / 6);
    assertAlmostEquals(Math.max(...turns), 0.2 * strength, 0.015);
  }
});

Deno.test("about half of MSN's views are blurred", () => {
  const stripes = drawn(240, 240, (x) => x % 120 < 60 ? [0, 0, 0] : [255, 255, 255]);
  // Resizing mixes the two colours in two columns an edge at most.
  const isBlurred = ({ width, data }: RawImage) => {
    let run = 0;
    return Array.from({ length: width }, (_, x) => {
      run = data[3 * x]! > 0 && data[3 * x]! < 255 ? run + 1 : 0;
      return run > 2;
    }).some(Boolean);
  };
  const blurred = share(inEpochs(500, stripes, {}), isBlurred);
  // A blur of a small radius does not count.
  assert(blurred > 0.3 && blurred < 0.5, `${blurred}`);
});

Deno.test("random views show 30 to 100 % of an image, focal ones 5 to 30 %", () => {
  // Red and green tell the place of a pixel.
  const place = drawn(256, 256, (x, y) => [x, y, 0]);
  for (
    const [kind, side, least, most] of [["random", 32, 0.3, 1], ["focal", 16, 0.05, 0.3]] as const
  ) {
    const areas: number[] = [];
    for (const image of inEpochs(300, place, {}, kind)) {
      if (isGrey(image)) continue;
      // Edges and corners are left out: a filter sees less there.
      const [low, high] = [side / 4, 3 * side / 4];
      const level = (x: number, y: number, c: number) => image.data[3 * (y * side + x) + c]!;
      const middle = side / 2;
      const perPixel = (a: number, b: number) => Math.abs(a - b) / (high - low) * side / 256;
      const width = perPixel(level(low, middle, 0), level(high, middle, 0));
      const height = perPixel(level(middle, low, 1), level(middle, high, 1));
      const ratio = width / height;
      assert(ratio > 0.68 && ratio < 1.46, `ratio ${ratio}`);
      areas.push(width * height);
    }
    const [smallest, largest] = [Math.min(...areas), Math.max(...areas)];
    assert(smallest > 0.88 * least && smallest < 1.3 * least, `${kind}: from ${smallest}`);
    assert(largest < 1.08 * most && largest > 0.85 * most, `${kind}: to ${largest}`);
  }
});

Deno.test("the pixels of MSN's views are the images', normalised, a plane a channel", () => {
  const made = views();
  const images = made.imagesOf(photo, 2, 3);
  const pixels = made.pixelsOf(photo, 2, 3);
  const pairs = [
    [images.target, pixels.target],
    ...images.random.map((image, i) => [image, pixels.random[i]] as const),
    ...images.focal.map((image, i) => [image, pixels.focal[i]] as const),
  ] as const;
  assertEquals(pairs.length, 6);
  for (const [{ width, height, data }, values] of pairs) {
    assertEquals(values?.length, data.length);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) {
        const expected = (data[3 * i + c]! / 255 - MEAN[c]!) / STD[c]!;
        assertAlmostEquals(values![c * width * height + i]!, expected, 1e-5);
      }
    }
  }
});

Deno.test("keptPatches() begins a permutation that depends on the seed and the step alone", () => {
  const made = views();
  const kept = made.keptPatches(196, 166, 7);
  assert(kept instanceof Int32Array);
  assertEquals([kept.length, new Set(kept).size], [166, 166]);
  assert(kept.every((patch) => patch >= 0 && patch < 196));
  assertNotEquals(kept, kept.toSorted());
  assertEquals(made.keptPatches(196, 196, 7).slice(0, 166), kept);
  assertEquals(views().keptPatches(196, 166, 7), kept);
  assertNotEquals(made.keptPatches(196, 166, 8), kept);
  assertNotEquals(views({ seed: 2 }).keptPatches(196, 166, 7), kept);
  const all = Int32Array.from({ length: 196 }, (_, i) => i);
  assertEquals(made.keptPatches(196, 196, 7).toSorted(), all);
});

Deno.test("keptPatches() keeps each patch equally often", () => {
  const made = views();
  const counts = new Array(8).fill(0);
  for (let step = 0; step < 800; step++) {
    for (const patch of made.keptPatches(8, 4, step)) counts[patch]++;
  }
  for (const count of counts) assertAlmostEquals(count / 800, 0.5, 0.08);
});

Deno.test("keptPatches() refuses to keep none or more than there are", () => {
  for (const kept of [0, 17, 2.5, NaN]) {
    assertThrows(() => views().keptPatches(16, kept, 0), RangeError, `Cannot keep ${kept} of 16`);
  }
  assertEquals(views().keptPatches(16, 16, 0).length, 16);
});
