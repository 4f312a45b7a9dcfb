import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { addToHead, extendHead } from "../../../src/heads/fit/add_to_head.ts";
import { evaluateHead } from "../../../src/heads/evaluate/evaluate.ts";
import { fitHead } from "../../../src/heads/fit/fit_head.ts";
import type { Head } from "../../../src/heads/head.ts";
import { HEAD_METHODS } from "../../../src/heads/fit/method.ts";
import { softmax } from "../../../src/tensor/softmax.ts";
import { maxDifference } from "../../golden/golden.ts";
import { clusters } from "./samples.ts";

const support = clusters({ ant: 8, bee: 8, cow: 8 });
const query = clusters({ ant: 30, bee: 30, cow: 30 }, { seed: 9 });
const strange = clusters({ dog: 30 }, { seed: 9 });

for (const method of HEAD_METHODS) {
  Deno.test(`a head of ${method} names what it was not fitted on`, () => {
    const { head, report } = fitHead(support, { method });
    assertEquals(head.labels, ["ant", "bee", "cow"]);
    assertEquals(report.candidate.method, method);
    assert(evaluateHead(head, query).accuracy > 0.9);
    const [labels] = head.predict(query.features.slice(0, 1), { topK: 2 });
    assertEquals([labels?.length, labels?.[0]?.label], [2, "ant"]);
    const probabilities = softmax(head.logits(query.features)[0]!);
    assertAlmostEquals(labels![0]!.score, Math.max(...probabilities), 1e-6);
  });
}

Deno.test("auto chooses what is best on what was left out, and the same every time", () => {
  const many = clusters({ ant: 40, bee: 40, cow: 40 }, { noise: 2 });
  const { head, report } = fitHead(many);
  assertEquals(report.candidates.length, 12);
  const values = report.candidates.map((c) => c.accuracy - c.negativeLogLikelihood / 2);
  const best = report.candidates[values.indexOf(Math.max(...values))];
  assertEquals(report.candidate, best?.candidate);
  assertEquals(fitHead(many).head.parameters, head.parameters);
  assertEquals(fitHead(many, { seed: 1 }).head.labels, head.labels);
});

Deno.test("with few images, auto takes what is best only if that is more than luck", () => {
  // All are right on all: nothing is better than the default, though likelier.
  assertEquals(fitHead(support).report.candidate, { method: "ridge", l2: 1 });
});

Deno.test("below three images a class, auto takes prototypes and calibrates nothing", () => {
  const { head, report } = fitHead(clusters({ ant: 2, bee: 1, cow: 2 }));
  assertEquals(report.candidate, { method: "prototypes" });
  const { calibrated, temperature, unknown } = head.parameters.settings;
  assertEquals([calibrated, temperature, unknown], [false, 1, undefined]);
  assertThrows(() => head.predict(query.features, { unknown: true }), TypeError, "too few images");
});

Deno.test("a class of one image among larger ones is fitted on all the same", () => {
  const { head, report } = fitHead(clusters({ ant: 6, bee: 6, cow: 1 }));
  assert(report.candidates.length > 0);
  assert(evaluateHead(head, query).classes[2]!.recall! > 0.5);
});

Deno.test("calibration makes scores of what was left out as large as they are right", () => {
  const noisy = clusters({ ant: 40, bee: 40, cow: 40 }, { noise: 2.5 });
  const { report, head } = fitHead(noisy, { method: "ridge" });
  assert(report.calibrationError!.after < report.calibrationError!.before / 2);
  const { calibrationError } = evaluateHead(
    head,
    clusters({ ant: 200, bee: 200, cow: 200 }, { noise: 2.5, seed: 5 }),
  );
  assert(calibrationError.after < 0.1, `${calibrationError.after}`);
});

for (const [K, n] of [[2, 4], [3, 10], [10, 5]] as const) {
  for (const method of ["auto", ...HEAD_METHODS] as const) {
    Deno.test(`${K} classes without meaning: ${method} says so, and its scores stay apart`, () => {
      const { features } = clusters({ all: K * n }, { seed: 2 });
      const labels = features.map((_, i) => `class ${i % K}`);
      const { head, report } = fitHead({ features, labels }, { method });
      const { chance, isBetter, confidenceInterval: [low, high] } = report.guessing!;
      assertEquals([chance, isBetter], [1 / K, false]);
      assert(low < high && high < 1);
      const logits = head.logits(clusters({ all: 40 }, { seed: 3 }).features);
      const best = logits.map((row) => Math.max(...softmax(row)));
      const mean = best.reduce((sum, p) => sum + p, 0) / best.length;
      assert(mean > 1 / K + 0.05 * (1 - 1 / K), `${mean}`);
    });
  }
}

Deno.test("a head that is better than guessing says how much, and is calibrated", () => {
  const { head, report } = fitHead(support);
  const { accuracy, chance, isBetter, count } = report.guessing!;
  assertEquals([chance, isBetter, count], [1 / 3, true, 24]);
  assert(accuracy > 0.9 && head.parameters.settings.calibrated);
});

Deno.test("six photos that are all right are enough to be better than guessing", () => {
  const { report } = fitHead(clusters({ ant: 3, bee: 3 }, { noise: 0.5 }));
  assertEquals([report.guessing?.accuracy, report.guessing?.isBetter], [1, true]);
});

Deno.test("of unequal classes that all count alike as photos, always the largest is a guess", () => {
  const { features } = clusters({ all: 60 });
  const labels = features.map((_, i) => i < 48 ? "many" : "few");
  const { report } = fitHead({ features, labels }, { classWeight: "none", method: "logistic" });
  const { accuracy, chance, isBetter } = report.guessing!;
  assert(accuracy > 0.6 && chance > 0.6 && !isBetter, `${accuracy} ${chance}`);
});

/** The share that a head tells unknown. */
function rejected(head: Head, features: Float32Array[]): number {
  const labels = head.predict(features, { unknown: true });
  return labels.filter(([first]) => first!.label === "unknown").length / labels.length;
}

for (const keepFeatures of [false, true]) {
  const how = keepFeatures ? "features kept" : "no features kept";
  Deno.test(`unknown rejects about the stated share of the classes, and most of others, ${how}`, () => {
    const many = clusters({ ant: 60, bee: 60, cow: 60 });
    const { head, report } = fitHead(many, { falseRejectionRate: 0.1, keepFeatures });
    assert(Math.max(...Object.values(report.unknown!)) > 0.8);
    const share = rejected(head, query.features);
    assert(share > 0.02 && share < 0.25, `${share}`);
    assert(rejected(head, strange.features) > 0.5);
    const [first, second] = head.predict(strange.features, { unknown: true })
      .find(([label]) => label!.label === "unknown")!;
    assertAlmostEquals(first!.score, 1 - second!.score, 1e-6);
    assert(head.predict(strange.features).every(([label]) => label!.label !== "unknown"));
  });
}

Deno.test("fitHead() refuses what it cannot fit", () => {
  const throws = (features: number[][], labels: string[], message: string, options = {}) =>
    assertThrows(
      () => fitHead({ features: features.map((row) => Float32Array.from(row)), labels }, options),
      RangeError,
      message,
    );
  throws([], [], "there are no classes");
  throws([[1, 0], [0, 1]], ["a", "a"], "there is one class");
  throws([[1, 0]], ["a", "b"], "1 features for 2 labels");
  throws([[1, 0], [1]], ["a", "b"], "feature 1 is not 2 finite numbers");
  throws([[1, 0], [NaN, 1]], ["a", "b"], "feature 1 is not 2 finite numbers");
  const two = [[1, 0], [0, 1]];
  throws(two, ["a", "b"], "l2 is 0", { method: "ridge", l2: 0 });
  throws(two, ["a", "b"], "l2 requires the method logistic or ridge", { l2: 1 });
  throws(two, ["a", "b"], "falseRejectionRate is 1", { falseRejectionRate: 1 });
  throws(two, ["a", "b"], "seed is 0.5", { seed: 0.5 });
});

Deno.test("predict() refuses features of another length", () => {
  const { head } = fitHead(support);
  assertThrows(
    () => head.predict([new Float32Array(3)]),
    RangeError,
    "3 numbers: the head takes 16",
  );
  assertEquals(head.predict([]), []);
});

Deno.test("adding to prototypes is fitting on all at once", () => {
  const first = clusters({ ant: 2, bee: 2 });
  const more = clusters({ bee: 3, cow: 2 }, { seed: 4 });
  const all = {
    features: [...first.features, ...more.features],
    labels: [...first.labels, ...more.labels],
  };
  const options = { method: "prototypes" } as const;
  const added = addToHead(fitHead(first, options).head, more);
  const whole = fitHead(all, options).head;
  assertEquals(added.labels, whole.labels);
  assertEquals(added.parameters.settings.counts, [2, 5, 2]);
  const logits = (head: Head) => head.logits(query.features).flatMap((row) => [...row]);
  const { temperature } = whole.parameters.settings;
  assert(maxDifference(logits(added), logits(whole).map((z) => z * temperature)) < 1e-5);
});

Deno.test("adding to a head that kept its features is fitting on all at once", () => {
  const more = clusters({ cow: 4, dog: 8 }, { seed: 4 });
  const all = {
    features: [...support.features, ...more.features],
    labels: [...support.labels, ...more.labels],
  };
  const options = { method: "ridge", keepFeatures: true } as const;
  const fitted = fitHead(support, options).head;
  const { lambd } = fitted.parameters.settings;
  const added = addToHead(fitted, more);
  assertEquals(added.labels, ["ant", "bee", "cow", "dog"]);
  const whole = fitHead(all, { ...options, l2: lambd! }).head;
  assertEquals(evaluateHead(added, query).accuracy, evaluateHead(whole, query).accuracy);
});

Deno.test("images that a head has are left out, by their features where it has no ids", () => {
  const { head } = fitHead(support, { method: "ridge", keepFeatures: true });
  const more = clusters({ dog: 3 }, { seed: 4 });
  const features = [support.features[3]!, ...more.features];
  const extension = extendHead(head, { features, labels: ["cow", ...more.labels] });
  assertEquals(extension.already, [{ index: 0, label: "ant" }]);
  assertEquals(extension.head.parameters.settings.counts, [8, 8, 8, 3]);
  const prototypes = fitHead(support, { method: "prototypes" }).head;
  const { knowsImages, already } = extendHead(prototypes, support);
  assertEquals([knowsImages, already], [false, []]);
});

Deno.test("adding to a head that has neither says what it takes", () => {
  const { head } = fitHead(support, { method: "logistic" });
  assertThrows(() => addToHead(head, query), TypeError, "--keep-features");
  const { head: prototypes } = fitHead(support, { method: "prototypes" });
  const short = { features: [new Float32Array(3)], labels: ["x"] };
  assertThrows(() => addToHead(prototypes, short), RangeError, "3 numbers: the head's have 16");
});

Deno.test("the held-out predictions are those that the report's accuracy counts", () => {
  const { features, labels } = clusters({ a: 12, b: 12 }, { noise: 2 });
  const { head, report } = fitHead({ features, labels });
  const { images, logits } = report.heldOut!;
  const right = images.map((image, row) =>
    +(head.labels[+(logits[row]![1]! > logits[row]![0]!)] === labels[image])
  );
  assertAlmostEquals(
    right.reduce((a, b) => a + b) / right.length,
    report.guessing!.accuracy,
    1e-12,
  );
  assertEquals(new Set(images).size, 24);
  assertEquals(fitHead(clusters({ a: 2, b: 2 })).report.heldOut, undefined);
});
