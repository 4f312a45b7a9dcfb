import { assert, assertEquals } from "@std/assert";
import { splitImages } from "../../src/dataset/split_images.ts";
import { uniform } from "../random.ts";

function imagesOf(counts: Readonly<Record<string, number>>) {
  return Object.entries(counts).flatMap(([label, count]) =>
    Array.from({ length: count }, (_, i) => ({ file: `${label}/${i}`, label }))
  );
}

function countsOf(images: readonly { label: string }[]) {
  return Object.fromEntries(
    [...Map.groupBy(images, ({ label }) => label)].map(([label, { length }]) => [label, length]),
  );
}

Deno.test("splitImages holds out the share of each class, and every image once", () => {
  const images = imagesOf({ cat: 40, dog: 20, fox: 4, owl: 2, yak: 1 });
  const { training, heldOut } = splitImages(images, 0.15, 1000, uniform(1));
  assertEquals(countsOf(heldOut), { cat: 6, dog: 3, fox: 1 });
  assertEquals(countsOf(training), { cat: 34, dog: 17, fox: 3, owl: 2, yak: 1 });
  assertEquals(new Set([...training, ...heldOut]).size, images.length);
  assertEquals(splitImages(images, 0.15, 1000, uniform(1)).heldOut, heldOut);
});

Deno.test("splitImages holds out at most so many, none with the share 0, and never a class's last", () => {
  const images = imagesOf({ cat: 400, dog: 400 });
  assertEquals(splitImages(images, 0.5, 100, uniform(2)).heldOut.length, 100);
  assertEquals(splitImages(images, 0, 100, uniform(2)).heldOut.length, 0);
  const { training } = splitImages(imagesOf({ cat: 2, dog: 2 }), 0.99, 100, uniform(3));
  assert(Object.values(countsOf(training)).every((count) => count === 1));
});
