import { assertEquals } from "@std/assert";
import { viewsOf } from "../../../src/image/transform/views.ts";

Deno.test("viewsOf() gives a picture, its mirror image and five crops", () => {
  const data = Uint8Array.from({ length: 3 * 4 * 2 }, (_, i) => Math.floor(i / 3));
  const [own, mirrored, ...crops] = viewsOf({ width: 4, height: 2, data });
  const first = (pixels: Uint8Array) => [...pixels].filter((_, i) => i % 3 === 0);
  assertEquals(first(own!.data), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(first(mirrored!.data), [3, 2, 1, 0, 7, 6, 5, 4]);
  assertEquals(crops.map(({ width, height }) => [width, height]), Array(5).fill([3, 2]));
  assertEquals(crops.map(({ data }) => data[0]), [0, 1, 0, 1, 0]);
});

Deno.test("viewsOf() gives a picture of one pixel seven times", () => {
  assertEquals(viewsOf({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) }).length, 7);
});
