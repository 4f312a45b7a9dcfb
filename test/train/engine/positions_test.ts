import { assert, assertEquals } from "@std/assert";
import { Arena, sharedMemory } from "../../../src/runtime/simd/arena.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { InterpolatedPositions } from "../../../src/train/engine/positions.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { numbers, SMALL } from "./small_models.ts";

const config = parseConfig(SMALL);
const D = config.hiddenSize;
/** 8 × 12 pixels are 2 × 4 patches. */
const N = 8;

function positions(seed: number, patches = N): Tensor<"float32"> {
  const shape = [1, 1 + patches, D];
  return { dtype: "float32", shape, data: numbers(seed, shape[1]! * D) };
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

Deno.test("InterpolatedPositions are needed for images of another height or width", () => {
  assertEquals(InterpolatedPositions.areNeeded(config, [8, 12]), false);
  for (const size of [[12, 8], [8, 15], [4, 12], [16, 24]]) {
    assertEquals(InterpolatedPositions.areNeeded(config, size), true, `${size}`);
  }
});

Deno.test("InterpolatedPositions: refresh() puts a row a patch into memory, and CLS as it is", () => {
  const arena = new Arena(sharedMemory(), 1024);
  const table = new InterpolatedPositions(arena, config, [12, 9]);
  assertEquals(table.shape, [1, 10, D]);
  const end = arena.reserve(4);
  for (const seed of [1, 2]) {
    const own = positions(seed);
    table.refresh(own);
    const all = arena.floats(table.place, 10 * D);
    assertEquals(all.slice(0, D), own.data.slice(0, D));
    assert(all.every((x) => Math.abs(x) < 2));
    // Numbers that are the same for all patches stay so: the weights of a patch have the sum 1.
    table.refresh({ ...own, data: own.data.map((_, i) => i % D) });
    all.forEach((x, i) => assert(Math.abs(x - i % D) < 1e-5, `${i}: ${x}`));
  }
  assertEquals(arena.floats(end, 1), Float32Array.of(0));
});

Deno.test("InterpolatedPositions: gradient() is the transpose of refresh()", () => {
  for (const [size, patches] of [[[12, 9], 9], [[4, 18], 6], [[16, 3], 4]] as const) {
    const arena = new Arena(sharedMemory(), 1024);
    const table = new InterpolatedPositions(arena, config, size);
    const own = positions(3), gradient = positions(4, patches);
    assertEquals(table.shape, gradient.shape);
    table.refresh(own);
    const y = arena.floats(table.place, gradient.data.length);
    const dx = table.gradient(gradient);
    assertEquals(dx.length, own.data.length);
    assert(Math.abs(dot(y, gradient.data) - dot(own.data, dx)) < 1e-4, `${size}`);
  }
});

Deno.test("InterpolatedPositions of the same grid are the config's", () => {
  const arena = new Arena(sharedMemory(), 1024);
  // Two pixels more are no further patch.
  const table = new InterpolatedPositions(arena, config, [10, 12]);
  const own = positions(5);
  table.refresh(own);
  assertEquals(arena.floats(table.place, own.data.length).slice(), own.data);
  assertEquals(table.gradient(own), own.data);
});
