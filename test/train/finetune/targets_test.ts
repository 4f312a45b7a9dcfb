import { assertEquals } from "@std/assert";
import { labelTargets, smoothedRows, softTargets } from "../../../src/train/finetune/targets.ts";

Deno.test("smoothedRows() spreads a share of each label over all classes", () => {
  assertEquals([...smoothedRows([0, 3], 4, 0.5)], [
    0.625,
    0.125,
    0.125,
    0.125,
    0.125,
    0.125,
    0.125,
    0.625,
  ]);
  assertEquals([...smoothedRows([1], 2)], [0, 1]);
});

Deno.test("labelTargets() divides by the labels' weights, or without by their number", () => {
  assertEquals([...labelTargets([0, 1], 2)], [0.5, 0, 0, 0.5]);
  assertEquals([...labelTargets([0, 1], 2, { classWeights: [1, 3] })], [0.25, 0, 0, 0.75]);
  const both = labelTargets([0], 2, { classWeights: [2, 4], labelSmoothing: 0.5 });
  assertEquals([...both], [0.75, 0.5]);
});

Deno.test("softTargets() divides by the number of rows, whatever the classes' weights", () => {
  const rows = Float32Array.of(0.5, 0.5, 0.25, 0.75);
  assertEquals([...softTargets(rows, 2)], [0.25, 0.25, 0.125, 0.375]);
  assertEquals([...softTargets(rows, 2, [2, 4])], [0.5, 1, 0.25, 1.5]);
});
