import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  headOfClassifier,
  type Outputs,
} from "../../../../src/train/finetune/evaluation/calibrate.ts";
import { numbers } from "../../engine/small_models.ts";

const [K, D] = [3, 5];
const classifier = {
  weight: { dtype: "float32", shape: [K, D], data: numbers(1, K * D) },
  bias: { dtype: "float32", shape: [K], data: numbers(2, K) },
  layerNorm: {
    weight: numbers(3, D).map((x) => 1 + x / 2),
    bias: numbers(4, D),
  },
  labels: ["a", "b", "c"],
} as const;

/** Outputs of images: CLS after the LayerNorm, and the logits that the classifier gives of it. */
function outputs(count: number, seed: number): Outputs {
  const { weight, bias, layerNorm } = classifier;
  const cls = Array.from({ length: count }, (_, i) => {
    const x = numbers(seed + i, D);
    const mean = x.reduce((a, b) => a + b) / D;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / D;
    return x.map((value, d) =>
      (value - mean) / Math.sqrt(variance + 1e-12) * layerNorm.weight[d]! + layerNorm.bias[d]!
    );
  });
  const logits = cls.map((vector) =>
    bias.data.map((b, k) => vector.reduce((sum, x, d) => sum + x * weight.data[k * D + d]!, b))
  );
  return { cls, logits, classes: cls.map((_, i) => i % K) };
}

Deno.test("19 held-out images do not calibrate, 20 do", () => {
  for (const [count, calibrated] of [[0, false], [19, false], [20, true]] as const) {
    const { settings } = headOfClassifier(classifier, outputs(9, 1), outputs(count, 99), 0.1)
      .parameters;
    assertEquals([settings.calibrated, settings.unknown !== undefined], [calibrated, calibrated]);
    assertEquals([settings.temperature === 1, settings.counts], [!calibrated, [3, 3, 3]]);
  }
  const { settings } = headOfClassifier(classifier, outputs(9, 1), undefined, 0.1).parameters;
  assertEquals([settings.calibrated, settings.labels], [false, ["a", "b", "c"]]);
});

Deno.test("the share of held-out images below the threshold is the one that is asked for", () => {
  const heldOut = outputs(200, 1000);
  for (const rate of [0, 0.05, 0.5, 0.99]) {
    const { settings } = headOfClassifier(classifier, outputs(9, 1), heldOut, rate).parameters;
    const { threshold, falseRejectionRate } = settings.unknown as {
      threshold: number;
      falseRejectionRate: number;
    };
    const best = heldOut.logits.map((row) => {
      const z = [...row].map((x) => x / settings.temperature);
      const largest = Math.max(...z);
      return 1 / z.reduce((sum, x) => sum + Math.exp(x - largest), 0);
    });
    const below = best.filter((score) => score < threshold - 1e-6).length;
    assertAlmostEquals(below / 200, rate, 0.006);
    assertEquals(falseRejectionRate, rate);
  }
});

Deno.test("logits that are too sure get a temperature above 1, timid ones below", () => {
  const truths = outputs(60, 1000);
  const scaled = (factor: number, right: number): Outputs => ({
    ...truths,
    logits: truths.classes.map((label, i) =>
      Float32Array.from(
        { length: K },
        (_, k) => k === (i < right ? label : (label + 1) % K) ? factor : 0,
      )
    ),
  });
  const temperature = (heldOut: Outputs) =>
    headOfClassifier(classifier, outputs(9, 1), heldOut, 0.1).parameters.settings.temperature;
  assert(temperature(scaled(20, 45)) > 2);
  assert(temperature(scaled(0.1, 55)) < 0.5);
});
