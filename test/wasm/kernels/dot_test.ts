import { assertEquals } from "@std/assert";
import { sharedMemory } from "../../../src/runtime/simd/arena.ts";
import { instantiate, kernelModule } from "../../../src/runtime/simd/kernels.ts";
import { Dot } from "../../../src/runtime/simd/structs.ts";

Deno.test("relaxed kernels take the dot product that they are told", () => {
  const dot = (dotProduct: "auto" | "single" | "pairwise") =>
    instantiate(kernelModule("relaxed"), sharedMemory(), dotProduct).dot();
  assertEquals(dot("single"), Dot.SINGLE);
  assertEquals(dot("pairwise"), Dot.PAIRWISE);
  // Without being told, they take the same every time.
  const chosen = dot("auto");
  for (let i = 0; i < 10; i++) assertEquals(dot("auto"), chosen);
  console.log(`this processor: ${chosen === Dot.SINGLE ? "single" : "pairwise"}`);
});

Deno.test("plain kernels have no relaxed dot product to choose", () => {
  const dots = (["auto", "single", "pairwise"] as const).map((dotProduct) =>
    instantiate(kernelModule("plain"), sharedMemory(), dotProduct).dot()
  );
  assertEquals(new Set(dots).size, 1);
});
