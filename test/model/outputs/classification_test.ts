import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { toClassifications } from "../../../src/model/outputs/classification.ts";

const id2label = ["cat", "dog", "eel"];
const logits = Float32Array.of(0, 2, 1);

Deno.test("toClassifications() gives the best labels first", () => {
  const [first, second, ...rest] = toClassifications(logits, { id2label }, { topK: 2 });
  assertEquals([first?.label, second?.label, rest.length], ["dog", "eel", 0]);
  assertAlmostEquals(first!.score, Math.exp(2) / (1 + Math.exp(1) + Math.exp(2)), 1e-12);
});

Deno.test("toClassifications() keeps to the threshold", () => {
  assertEquals(toClassifications(logits, { id2label }, { threshold: 0.5 }).length, 1);
  assertEquals(toClassifications(logits, { id2label }, { threshold: 1 }), []);
});

Deno.test("toClassifications() refuses what would give no labels, or wrong ones", () => {
  const config = { id2label };
  const throws = (values: number[], options: { topK?: number }, message: string) =>
    assertThrows(
      () => toClassifications(Float32Array.from(values), config, options),
      RangeError,
      message,
    );
  throws([1, 2], {}, "2 logits for 3 labels");
  throws([1, 2, NaN], {}, "not a number");
  for (const topK of [0, -1, 2.5, NaN]) throws([1, 2, 3], { topK }, `topK is ${topK}`);
});

Deno.test("toClassifications() scores classes independently where they are", () => {
  const config = { id2label, problemType: "multi_label_classification" } as const;
  assertEquals(toClassifications(logits, config)[2], { label: "cat", score: 0.5 });
  assertEquals(toClassifications(Float32Array.of(0), { id2label: ["x"] })[0]?.score, 0.5);
});
