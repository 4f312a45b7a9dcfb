import { assertAlmostEquals, assertThrows } from "@std/assert";
import { computeLoss } from "../../../src/model/outputs/loss.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";

const logits = { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 3, -200, 200) } as const;

function int64(...labels: number[]): Tensor {
  return { dtype: "int64", shape: [labels.length], data: BigInt64Array.from(labels, BigInt) };
}

function float32(shape: number[], ...values: number[]): Tensor {
  return { dtype: "float32", shape, data: Float32Array.from(values) };
}

Deno.test("computeLoss() is the mean cross-entropy for labels that are integers", () => {
  const first = Math.log(Math.exp(1) + Math.exp(3)) - 3;
  assertAlmostEquals(computeLoss(logits, int64(1, 1), undefined), first / 2, 1e-12);
  assertAlmostEquals(computeLoss(logits, int64(1, 0), undefined), (first + 400) / 2, 1e-9);
  assertAlmostEquals(computeLoss(logits, int64(1, -100), undefined), first, 1e-12); // left out
});

Deno.test("computeLoss() is binary cross-entropy for labels that are numbers, and never overflows", () => {
  const softplus = (x: number) => Math.log1p(Math.exp(x));
  const expected = (softplus(1) - 1 + softplus(3) + 0 + 0) / 4;
  assertAlmostEquals(computeLoss(logits, float32([2, 2], 1, 0, 0, 1), undefined), expected, 1e-12);
});

Deno.test("computeLoss() is the squared error for regression", () => {
  const one = { dtype: "float32", shape: [2, 1], data: Float32Array.of(1, 3) } as const;
  assertAlmostEquals(computeLoss(one, float32([2], 2, 5), undefined), 2.5, 1e-12);
  assertAlmostEquals(computeLoss(one, float32([2, 1], 2, 5), undefined), 2.5, 1e-12);
  assertAlmostEquals(computeLoss(one, int64(2, 5), undefined), 2.5, 1e-12);
  const all = float32([2, 2], 1, 3, -200, 198);
  assertAlmostEquals(computeLoss(logits, all, "regression"), 1, 1e-12);
});

Deno.test("computeLoss() refuses labels that do not fit", () => {
  const throws = (labels: Tensor, message: string) =>
    assertThrows(() => computeLoss(logits, labels, undefined), RangeError, message);
  throws(int64(0, 2), "the label 2 is not from 0 to 1");
  throws(int64(0, -1), "the label -1");
  throws(int64(0), "not int64 [2]");
  throws(float32([2], 0, 1), "not float32 [2,2]");
  throws(float32([4, 1], 0, 1, 1, 0), "not float32 [2,2]");
  throws({ dtype: "int32", shape: [2], data: new Int32Array(2) }, "labels is int32 [2]");
});
