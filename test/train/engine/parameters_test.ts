import { assertEquals } from "@std/assert";
import { Parameters } from "../../../src/train/engine/parameters.ts";

const SHAPES = new Map<string, readonly number[]>([
  ["a", [3, 5]],
  ["b", [1]],
  ["c", [2, 16]],
  ["large", [1000, 131]],
  ["d", [7]],
]);

Deno.test("Parameters begin at cache lines, in order", () => {
  const parameters = new Parameters(SHAPES);
  assertEquals(parameters.names, [...SHAPES.keys()]);
  assertEquals(parameters.get("a"), { shape: [3, 5], start: 0, size: 15 });
  assertEquals(parameters.get("b"), { shape: [1], start: 16, size: 1 });
  assertEquals(parameters.get("c"), { shape: [2, 16], start: 32, size: 32 });
  assertEquals(parameters.get("large"), { shape: [1000, 131], start: 64, size: 131_000 });
  assertEquals(parameters.get("d"), { shape: [7], start: 64 + 131_008, size: 7 });
  assertEquals(parameters.size, 64 + 131_008 + 16);
  assertEquals(parameters.get("e"), undefined);
});

Deno.test("segments of Parameters cover each tensor once, in pieces of a multiple of 4", () => {
  for (const first of [0, 160]) {
    const parameters = new Parameters(SHAPES, first);
    const { segments, names, size } = parameters;
    let end = first;
    for (const name of names) {
      const { start, size: numbers } = parameters.get(name)!;
      const own = segments.filter((segment) => segment.name === name);
      assertEquals(own[0]!.start, start);
      let next = start;
      for (const segment of own) {
        assertEquals(segment.start, next);
        assertEquals(segment.count % 4, 0);
        assertEquals(segment.count <= 65_536, true);
        next += segment.count;
      }
      assertEquals(next, start + Math.ceil(numbers / 4) * 4);
      assertEquals(start >= end, true);
      end = next;
    }
    assertEquals(segments.length, names.length + 1);
    assertEquals(end <= first + size, true);
  }
});

Deno.test("Parameters of nothing have no size", () => {
  const parameters = new Parameters(new Map(), 32);
  assertEquals([parameters.size, parameters.names, parameters.segments], [0, [], []]);
});
