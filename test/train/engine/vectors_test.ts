import { assertEquals, assertThrows } from "@std/assert";
import { Arena, sharedMemory } from "../../../src/runtime/simd/arena.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { Parameters } from "../../../src/train/engine/parameters.ts";
import { ParameterVectors, type VectorName } from "../../../src/train/engine/vectors.ts";
import { numbers } from "./small_models.ts";

const SHAPES = new Map([["a", [3, 5]], ["b", [2]]]);
const EXTRA = new Map([["merged", [2, 3]]]);
const ALL = ["parameters", "gradients", "exp_avg", "exp_avg_sq", "average"] as const;

function vectors(
  { threads = 2, keepsAverage = true, extra = EXTRA }: {
    readonly threads?: number;
    readonly keepsAverage?: boolean;
    readonly extra?: ReadonlyMap<string, readonly number[]>;
  } = {},
) {
  const arena = new Arena(sharedMemory(), 1024);
  const parameters = new Parameters(SHAPES);
  const more = new Parameters(extra, parameters.size);
  return {
    arena,
    vectors: new ParameterVectors(arena, parameters, more, { threads, keepsAverage }),
  };
}

function tensor(shape: readonly number[], data: Float32Array): Tensor<"float32"> {
  return { dtype: "float32", shape, data };
}

Deno.test("ParameterVectors begin with 0, and each keeps its own numbers", () => {
  const { vectors: all } = vectors();
  const numbersOf = (vector: VectorName, name: string) =>
    numbers(10 * ALL.indexOf(vector) + name.charCodeAt(0), all.parameters.get(name)!.size);
  for (const vector of ALL) {
    for (const [name, shape] of SHAPES) {
      const zeros = new Float32Array(all.parameters.get(name)!.size);
      assertEquals(all.read(vector, name), tensor(shape, zeros));
      all.write(vector, name, numbersOf(vector, name));
    }
  }
  for (const vector of ALL) {
    for (const [name, shape] of SHAPES) {
      assertEquals(all.read(vector, name), tensor(shape, numbersOf(vector, name)));
    }
  }
});

Deno.test("ParameterVectors: read() is a copy", () => {
  const { vectors: all } = vectors();
  all.read("parameters", "a").data.fill(1);
  assertEquals(all.read("parameters", "a").data, new Float32Array(15));
});

Deno.test("ParameterVectors: fill() copies what is given, as float32, and leaves the rest", () => {
  const { vectors: all } = vectors();
  all.write("average", "b", Float32Array.of(1, 2));
  const halves = Uint16Array.of(...Array(15).fill(0x3c00));
  all.fill(
    "average",
    new Map<string, Tensor>([
      ["a", { dtype: "float16", shape: [3, 5], data: halves }],
      ["other", tensor([1], Float32Array.of(5))],
    ]),
  );
  assertEquals(all.read("average", "a").data, new Float32Array(15).fill(1));
  assertEquals(all.read("average", "b").data, Float32Array.of(1, 2));
  assertThrows(
    () => all.fill("average", new Map([["a", tensor([3], new Float32Array(3))]])),
    RangeError,
    "Cannot restore a: it has 3 numbers, not 15",
  );
});

Deno.test("ParameterVectors: each thread has gradients of all parameters and extra tensors", () => {
  const { arena, vectors: all } = vectors({ threads: 3 });
  const places = ["a", "b", "merged"].flatMap((name) =>
    [0, 1, 2].map((thread) => all.gradientOf(name, thread))
  );
  assertEquals(new Set(places).size, 9);
  assertEquals(all.gradientOf("other", 1), 0);
  assertEquals(all.gradientOf("a", 0), all.find("gradients", "a"));
  for (const name of ["a", "b", "merged"]) {
    assertEquals(all.gradientOf(name, 2) - all.gradientOf(name, 1), all.gradientStride);
  }
  // A thread's gradients end before the next thread's.
  assertEquals(all.gradientBytes <= all.gradientStride, true);
  const first = all.at("gradients");
  for (const place of ["a", "b", "merged"].map((name) => all.gradientOf(name, 0))) {
    assertEquals(place >= first && place + 4 * 6 <= first + all.gradientBytes, true);
  }
  assertEquals(arena.end >= first + 3 * all.gradientStride, true);
});

Deno.test("ParameterVectors: extraGradient() is a copy of the first thread's, of extra tensors alone", () => {
  const { arena, vectors: all } = vectors();
  const data = numbers(1, 6);
  arena.floats(all.gradientOf("merged", 0), 6).set(data);
  arena.floats(all.gradientOf("merged", 1), 6).fill(9);
  const gradient = all.extraGradient("merged")!;
  assertEquals(gradient, tensor([2, 3], data));
  gradient.data.fill(0);
  assertEquals(all.extraGradient("merged")!.data, data);
  assertEquals(all.extraGradient("a"), undefined);
  assertEquals(vectors({ extra: new Map() }).vectors.extraGradient("merged"), undefined);
});

Deno.test("ParameterVectors: an extra tensor of a parameter's name takes its place among the gradients", () => {
  const { vectors: all } = vectors({ extra: new Map([["a", [7, 5]]]) });
  assertEquals(all.gradientOf("a", 0) === all.find("gradients", "a"), false);
  assertEquals(all.extraGradient("a")!.shape, [7, 5]);
  assertEquals(all.read("gradients", "a").shape, [3, 5]);
});

Deno.test("ParameterVectors without an average have none to find, read, write, fill or exchange", () => {
  const { vectors: all } = vectors({ keepsAverage: false });
  assertEquals(all.keepsAverage, false);
  for (
    const use of [
      () => all.at("average"),
      () => all.find("average", "a"),
      () => all.read("average", "a"),
      () => all.write("average", "a", new Float32Array(15)),
      () => all.fill("average", new Map([["a", tensor([3, 5], new Float32Array(15))]])),
      () => all.swapAverage(),
    ]
  ) {
    assertThrows(use, RangeError, "Cannot find the average: the engine keeps none");
  }
});

Deno.test("ParameterVectors: a name that does not learn is not found", () => {
  const { vectors: all } = vectors();
  assertEquals(all.find("parameters", "merged"), undefined);
  const message = "Cannot find merged among the parameters that learn";
  assertThrows(() => all.read("gradients", "merged"), RangeError, message);
  assertThrows(() => all.write("gradients", "merged", new Float32Array(6)), RangeError, message);
});
