import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  expectedCalibrationError,
  reliabilityOf,
} from "../../../src/heads/evaluate/calibration_error.ts";
import {
  meanShareInterval,
  wilsonInterval,
} from "../../../src/heads/evaluate/confidence_interval.ts";
import { evaluateLogits } from "../../../src/heads/evaluate/evaluate.ts";
import { evaluateShots } from "../../../src/heads/evaluate/evaluate_shots.ts";
import { matrixOf } from "../../../src/tensor/matrix.ts";
import { fitTemperature, negativeLogLikelihood } from "../../../src/heads/fit/temperature.ts";
import { clusters } from "../fit/samples.ts";

/** Logits of a probability of the first of two classes. */
const logit = (p: number) => Float32Array.of(Math.log(p), Math.log(1 - p));

Deno.test("evaluateLogits() counts what is right, of which class, and how sure", () => {
  const logits = [logit(0.9), logit(0.8), logit(0.3), logit(0.6)];
  const evaluation = evaluateLogits(logits, ["a", "b", "b", "a"], ["a", "b"]);
  assertEquals([evaluation.count, evaluation.accuracy], [4, 0.75]);
  assertEquals(evaluation.confusion, [[2, 0], [1, 1]]);
  assertEquals(evaluation.classes, [
    { label: "a", count: 2, recall: 1, precision: 2 / 3, f1: 0.8 },
    { label: "b", count: 2, recall: 0.5, precision: 1, f1: 2 / 3 },
  ]);
  const risk = (coverage: number) =>
    evaluation.riskCoverage.find((point) => point.coverage === coverage)?.risk;
  // Surest first: 0.9 right, 0.8 wrong, 0.7 right, 0.6 right.
  assertEquals([risk(0.25), risk(0.5), risk(1)], [0, 0.5, 0.25]);
});

Deno.test("evaluateLogits() says what the calibration error would be without the temperature", () => {
  const logits = [logit(0.5 + 1e-3), logit(0.5 + 1e-3)];
  const { calibrationError } = evaluateLogits(logits, ["a", "b"], ["a", "b"], 1000);
  assert(calibrationError.after < 0.01);
  assert(calibrationError.before > 0.4);
});

Deno.test("evaluateLogits() refuses labels that no class has, and no images", () => {
  assertThrows(
    () => evaluateLogits([logit(0.5)], ["c"], ["a", "b"]),
    RangeError,
    `"c" is no label`,
  );
  assertThrows(() => evaluateLogits([], [], ["a", "b"]), RangeError, "no images");
});

Deno.test("the calibration error is the distance of scores from shares", () => {
  const nine = Array.from({ length: 10 }, () => logit(0.9));
  const classes = (right: number) => nine.map((_, i) => i < right ? 0 : 1);
  assertAlmostEquals(expectedCalibrationError(nine, classes(9)), 0, 1e-6);
  assertAlmostEquals(expectedCalibrationError(nine, classes(4)), 0.5, 1e-6);
  assertEquals(expectedCalibrationError([], []), 0);
  const bins = reliabilityOf(nine, classes(4)).filter(({ count }) => count > 0);
  assertEquals(bins.map(({ count, accuracy }) => [count, accuracy]), [[10, 0.4]]);
});

Deno.test("confidence intervals are the textbooks'", () => {
  const close = (actual: readonly number[], expected: number[], digits: number) =>
    actual.forEach((x, i) => assertAlmostEquals(x, expected[i]!, 10 ** -digits));
  close(wilsonInterval(8, 10), [0.4902, 0.9433], 4);
  close(wilsonInterval(0, 10), [0, 0.2775], 4);
  close(meanShareInterval([0.1, 0.2, 0.3, 0.4]), [0.25 - 0.20543, 0.25 + 0.20543], 4);
  assertEquals(meanShareInterval([0, 1]), [0, 1]); // Student's is -5.9 to 6.9
});

Deno.test("fitTemperature() finds the most likely one", () => {
  const logits = matrixOf([[3, 0], [2, 0], [4, 0], [1, 0], [2, 0]]);
  const [classes, weights] = [[0, 1, 0, 0, 0], [1, 1, 2, 1, 1]];
  const T = fitTemperature(logits, classes, weights);
  const at = (temperature: number) =>
    negativeLogLikelihood(logits, classes, weights, temperature, 1 / 7);
  for (const factor of [0.9, 0.99, 1.01, 1.1]) assert(at(T) < at(T * factor), `${factor}`);
  // One that is right is right with 5/6: ε is 1/3, of which each class has half.
  assertAlmostEquals(fitTemperature(matrixOf([[1, 0]]), [0], [1]), 1 / Math.log(5), 1e-3);
  assert(fitTemperature(matrixOf([[1, 0]]), [1], [1]) > 900);
});

Deno.test("evaluateShots() draws as many of each class, and the same for a seed", () => {
  const support = clusters({ ant: 6, bee: 6, cow: 6 });
  const query = clusters({ ant: 20, bee: 20, cow: 20 }, { seed: 2 });
  const first = evaluateShots(support, { shots: 2, splits: 4 }, query);
  assertEquals(first.accuracies.length, 4);
  assertEquals(evaluateShots(support, { shots: 2, splits: 4 }, query), first);
  const { accuracy, confidenceInterval: [low, high] } = first;
  assert(accuracy > 0.7 && low < accuracy && accuracy < high);
  // Of those that were not drawn, 4 a class are left.
  const rest = evaluateShots(support, { shots: 2, splits: 3 });
  assert(rest.accuracies.every((share) => Number.isInteger(Math.round(share * 12 * 1e9) / 1e9)));
});

Deno.test("evaluateShots() refuses more shots than there are", () => {
  const support = clusters({ ant: 3, bee: 2 });
  assertThrows(
    () => evaluateShots(support, { shots: 2 }),
    RangeError,
    `"bee" has 2, and it takes 3`,
  );
  assertThrows(() => evaluateShots(support, { shots: 0 }), RangeError, "shots is 0");
  assertThrows(() => evaluateShots(support, { shots: 1, splits: 0 }), RangeError, "splits is 0");
});
