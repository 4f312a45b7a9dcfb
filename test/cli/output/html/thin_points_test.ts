import { assert, assertEquals } from "@std/assert";
import { type Point, thinPoints } from "../../../../src/cli/output/html/thin_points.ts";

const wave = (count: number) =>
  Array.from({ length: count }, (_, x): Point => [x, Math.sin(x * x)]);

Deno.test("a curve that fits is not thinned", () => {
  const points = wave(10);
  assertEquals(thinPoints(points, 10), points);
});

Deno.test("a thinned curve keeps its ends and its extremes, in order, within the limit", () => {
  for (const count of [11, 12, 99, 1000]) {
    for (const max of [4, 5, 10]) {
      const points = wave(count);
      const thin = thinPoints(points, max);
      assert(thin.length <= max, `${count}, ${max}`);
      assertEquals([thin[0], thin.at(-1)], [points[0], points.at(-1)]);
      assert(thin.every(([x], i) => i === 0 || x > thin[i - 1]![0]));
      const ys = points.map(([_, y]) => y);
      assertEquals(Math.max(...thin.map(([_, y]) => y)), Math.max(...ys));
      assertEquals(Math.min(...thin.map(([_, y]) => y)), Math.min(...ys));
    }
  }
});

Deno.test("a stretch without figures stays a gap", () => {
  const points = wave(100).map(([x, y]): Point => [x, x > 30 && x < 70 ? NaN : y]);
  const thin = thinPoints(points, 22);
  assert(thin.some(([_, y]) => Number.isNaN(y)));
  assert(thin.filter(([_, y]) => Number.isNaN(y)).every(([x]) => x > 30 && x < 70));
});
