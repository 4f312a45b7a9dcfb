import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { augment } from "../../../src/train/augmentation/augment.ts";
import { mirror } from "../../../src/train/augmentation/mirror.ts";
import { uniform } from "../../random.ts";
import { noise } from "./noise.ts";

const image = noise(64, 48, 1);

/** All that is random is off. */
const PLAIN = {
  size: [48, 64],
  cropScale: [1, 1],
  cropRatio: [4 / 3, 4 / 3],
  mirror: 0,
  colorJitter: {},
} as const;

Deno.test("augment() gives the same image for the same seed and others for others", () => {
  const options = { size: [32, 24], randAugment: {}, grayscale: 0.2, blur: 0.5 } as const;
  const results = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const augmented = augment(image, options, uniform(seed));
    assertEquals([augmented.height, augmented.width], [32, 24]);
    assertEquals(augment(image, options, uniform(seed)), augmented);
    results.add(augmented.data.toBase64());
  }
  assertEquals(results.size, 50);
});

Deno.test("augment() changes nothing when all is off, and never its input", () => {
  const before = image.data.slice();
  assertEquals(augment(image, PLAIN, uniform(1)), image);
  augment(image, { size: [48, 64], randAugment: {}, blur: 1 }, uniform(1));
  assertEquals(image.data, before);
});

Deno.test("augment() mirrors half of the images by default", () => {
  const { mirror: _off, ...options } = PLAIN;
  const random = uniform(6);
  const mirrored = mirror(image).data.toBase64();
  const own = image.data.toBase64();
  let count = 0;
  for (let i = 0; i < 1000; i++) {
    const result = augment(image, options, random).data.toBase64();
    assert(result === own || result === mirrored);
    if (result === mirrored) count++;
  }
  assertAlmostEquals(count / 1000, 0.5, 0.05);
});

Deno.test("augment() does each step as often as its option says", () => {
  for (
    const [name, options] of [
      ["grey", { grayscale: 0.2 }],
      ["blur", { blur: 0.2, blurRadius: [1, 2] }],
      ["inversion", { solarize: 0.2 }],
      ["colours", { colorJitter: { hue: 0.5 }, colorJitterProbability: 0.2 }],
    ] as const
  ) {
    const random = uniform(7);
    let count = 0;
    for (let i = 0; i < 500; i++) {
      const { data } = augment(image, { ...PLAIN, ...options }, random);
      if (data.some((v, j) => v !== image.data[j])) count++;
    }
    assertAlmostEquals(count / 500, 0.2, 0.05, name);
  }
});

Deno.test("augment() inverts the levels from 128 on, after the blur", () => {
  const blurred = { ...PLAIN, blur: 1, blurRadius: [1, 1] } as const;
  const { data } = augment(image, blurred, uniform(1));
  const inverted = augment(image, { ...blurred, solarize: 1 }, uniform(1));
  assertEquals(inverted.data, data.map((v) => v < 128 ? v : 255 - v));
});

Deno.test("augment() draws a number for the inversion only if it is asked for", () => {
  const draws = (options: { solarize?: number }) => {
    const random = uniform(1);
    let count = 0;
    const counted = () => {
      count++;
      return random();
    };
    augment(image, { ...PLAIN, ...options }, counted);
    return count;
  };
  assertEquals(draws({ solarize: 0 }), draws({}) + 1);
});

Deno.test("augment() changes the colours by default", () => {
  const { colorJitter: _off, ...options } = PLAIN;
  assertNotEquals(augment(image, options, uniform(1)), image);
});

Deno.test("augment() takes the smallest image", () => {
  const { width, height } = augment(
    noise(1, 1, 1),
    { size: [5, 7], randAugment: {}, blur: 1, grayscale: 1 },
    uniform(1),
  );
  assertEquals([width, height], [7, 5]);
});

Deno.test("augment() refuses options out of range, used or not", () => {
  for (
    const options of [
      { mirror: 1.5 },
      { blur: -1 },
      { grayscale: NaN },
      { solarize: -0.1 },
      { colorJitterProbability: 2 },
      { blurRadius: [2, 1] },
      { blurRadius: [0, 1001] },
    ] as const
  ) {
    const [name] = Object.keys(options);
    assertThrows(
      () => augment(image, { ...PLAIN, ...options }, uniform(1)),
      RangeError,
      name!,
    );
  }
  assertThrows(
    () => augment(image, { ...PLAIN, size: [0, 5] }, uniform(1)),
    RangeError,
  );
});
