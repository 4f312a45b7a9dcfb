import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { colorJitter } from "../../../src/train/augmentation/color_jitter.ts";
import { adjustBrightness } from "../../../src/train/augmentation/operations/adjust_brightness.ts";
import { adjustContrast } from "../../../src/train/augmentation/operations/adjust_contrast.ts";
import { adjustHue } from "../../../src/train/augmentation/operations/adjust_hue.ts";
import { adjustSaturation } from "../../../src/train/augmentation/operations/adjust_saturation.ts";
import { uniform } from "../../random.ts";
import { noise } from "./noise.ts";

function script(...numbers: number[]): () => number {
  return () => numbers.shift() ?? NaN;
}

const image = noise(8, 6, 1);

Deno.test("colorJitter() applies each property with a factor from its range, in the order drawn", () => {
  const strong = { brightness: 0.4, contrast: 2, saturation: 0.2, hue: 0.1 };
  // An order of 0.99…: nothing is exchanged. The contrast's factor is from [0, 3].
  const order = [0.99, 0.99, 0.99];
  assertEquals(
    colorJitter(image, strong, script(...order, 0, 0.5, 0.5, 1)),
    adjustHue(
      adjustSaturation(adjustContrast(adjustBrightness(image, 0.6), 1.5), 1),
      0.1,
    ),
  );
  // Hue and brightness change places.
  assertEquals(
    colorJitter(image, strong, script(0, 0.99, 0.99, 0, 0.5, 0.5, 0.5)),
    adjustSaturation(adjustContrast(adjustHue(image, -0.1), 1.5), 1),
  );
});

Deno.test("colorJitter() leaves what is off alone and draws as many numbers", () => {
  assertEquals(colorJitter(image, {}, uniform(1)), image);
  let draws = 0;
  colorJitter(image, { hue: 0.2 }, () => (draws++, 0.5));
  assertEquals(draws, 7);
});

Deno.test("colorJitter() draws factors over the whole range", () => {
  const grey = { width: 1, height: 1, data: Uint8Array.of(100, 100, 100) };
  const random = uniform(3);
  const levels = Array.from(
    { length: 3000 },
    () => colorJitter(grey, { brightness: 0.5 }, random).data[0]!,
  );
  assert(Math.min(...levels) >= 49 && Math.max(...levels) <= 150);
  assert(Math.min(...levels) <= 51 && Math.max(...levels) >= 148);
  assertAlmostEquals(levels.reduce((a, b) => a + b) / 3000, 99.5, 2);
});

Deno.test("colorJitter() draws every order equally often", () => {
  const counts = new Map<string, number>();
  const random = uniform(4);
  // Factors of 0.5 everywhere tell the orders of brightness, contrast and saturation apart by results.
  const single = { width: 2, height: 1, data: Uint8Array.of(200, 40, 10, 90, 250, 120) };
  const factors = { brightness: 0.9, contrast: 0.9, hue: 0.4 };
  for (let i = 0; i < 2400; i++) {
    let draw = 0;
    const { data } = colorJitter(single, factors, () => draw++ < 3 ? random() : 0.9);
    counts.set(data.join(), (counts.get(data.join()) ?? 0) + 1);
  }
  assertEquals(counts.size, 6); // 3! orders
  for (const count of counts.values()) assert(count > 330 && count < 470, `${count}`);
});

Deno.test("colorJitter() refuses strengths out of range", () => {
  for (
    const options of [{ brightness: -0.1 }, { contrast: NaN }, { saturation: 256 }, { hue: 0.6 }]
  ) {
    const [name] = Object.keys(options);
    assertThrows(() => colorJitter(image, options, uniform(1)), RangeError, name!);
  }
});
