import { assert, assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import { decodeImage } from "../../../src/image/decode_image.ts";
import { resize } from "../../../src/image/transform/resize.ts";
import { thumbnail } from "../../../src/image/transform/thumbnail.ts";

Deno.test("thumbnail() looks like the image, in its aspect ratio", async () => {
  const photo = await decodeImage(await Deno.readFile("test/images/ship.jpg"));
  const small = thumbnail(photo, 100);
  assertEquals([small.width, small.height], [100, 75]);
  const smooth = resize(photo, 100, 75, "bilinear");
  const mean = small.data.reduce((sum, v, i) => sum + Math.abs(v - smooth.data[i]!), 0) /
    small.data.length;
  assert(mean < 4, `${mean}`);
});

Deno.test("thumbnail() copies a small image, and keeps a pixel of a strip", () => {
  const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const copy = thumbnail(image, 2);
  assertEquals(copy, image);
  assertNotStrictEquals(copy.data, image.data);
  const strip = { width: 1000, height: 1, data: new Uint8Array(3000).fill(7) };
  assertEquals(thumbnail(strip, 10), { width: 10, height: 1, data: new Uint8Array(30).fill(7) });
  assertThrows(() => thumbnail(image, 0), RangeError, "maxSide is 0");
});
