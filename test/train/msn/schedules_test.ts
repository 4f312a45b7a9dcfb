import { assertAlmostEquals, assertEquals } from "@std/assert";
import { scheduleAt } from "../../../src/train/msn/schedules.ts";

/** The optimisation of the authors' configs/pretrain/msn_vits16.yaml. */
const AUTHORS = {
  epochs: 800,
  warmup: 15,
  start_lr: 2e-4,
  lr: 1e-3,
  final_lr: 1e-6,
  weight_decay: 0.04,
  final_weight_decay: 0.4,
  start_momentum: 0.996,
  final_momentum: 1,
};
const CRITERION = { start_sharpen: 0.25, final_sharpen: 0.25 };
/** ImageNet in batches of 1024. */
const ITERATIONS = 1251;

Deno.test("scheduleAt() gives what the authors' schedules give in three steps", () => {
  // Their WarmupCosineSchedule(warmup_steps 2, T_max 10) and CosineWDSchedule(T_max 10).
  const optimization = { ...AUTHORS, epochs: 4, warmup: 1, start_momentum: 0.9 };
  const steps = [1, 2, 3].map((step) =>
    scheduleAt(step, { optimization, criterion: CRITERION }, 2)
  );
  const expected = {
    learningRate: [0.0006, 0.001, 0.0009619778264893878],
    weightDecay: [0.04880982706687231, 0.07437694101250947, 0.11419865458735484],
    momentum: [0.9, 0.91, 0.92],
    sharpen: [0.25, 0.25, 0.25],
  };
  for (const name of ["learningRate", "weightDecay", "momentum", "sharpen"] as const) {
    for (const [i, schedule] of steps.entries()) {
      assertAlmostEquals(schedule[name], expected[name][i]!, 1e-15, `${name}, step ${i + 1}`);
    }
  }
});

Deno.test("scheduleAt() is cut off before the final values", () => {
  const last = scheduleAt(
    800 * ITERATIONS,
    { optimization: AUTHORS, criterion: CRITERION },
    ITERATIONS,
  );
  assertAlmostEquals(last.learningRate, 9.9e-5, 1e-6);
  assertAlmostEquals(last.weightDecay, 0.366, 1e-3);
  assertAlmostEquals(last.momentum, 0.9992, 1e-6);
});

Deno.test("scheduleAt() rises to the peak at the end of the warm-up, then falls", () => {
  const rate = (step: number) =>
    scheduleAt(step, { optimization: AUTHORS, criterion: CRITERION }, 100).learningRate;
  const warmup = Array.from({ length: 1500 }, (_, i) => rate(i + 1));
  assertEquals(warmup, warmup.toSorted((a, b) => a - b));
  assertAlmostEquals(warmup[0]!, 2e-4 + 8e-4 / 1500, 1e-15);
  assertAlmostEquals(rate(1500), 1e-3, 1e-15);
  const after = Array.from({ length: 800 }, (_, i) => rate((i + 1) * 100)).slice(14);
  assertEquals(after, after.toSorted((a, b) => b - a));
});

Deno.test("scheduleAt() starts at the peak without a warm-up, and takes parts of epochs", () => {
  const rate = (step: number, warmup: number) =>
    scheduleAt(step, { optimization: { ...AUTHORS, warmup }, criterion: CRITERION }, 5)
      .learningRate;
  assertAlmostEquals(rate(1, 0), 1e-3, 1e-7);
  // ⌊0.5 · 5⌋ = 2 steps.
  assertAlmostEquals(rate(1, 0.5), 6e-4, 1e-15);
  assertAlmostEquals(rate(2, 0.5), 1e-3, 1e-15);
});

Deno.test("scheduleAt() counts the stretched schedule of rates in whole steps", () => {
  const optimization = { ...AUTHORS, epochs: 3, warmup: 0 };
  // ⌊1.25 · 3⌋ = 3.
  const { weightDecay, learningRate, momentum } = scheduleAt(
    3,
    { optimization, criterion: CRITERION },
    1,
  );
  assertAlmostEquals(weightDecay, 0.4, 1e-15);
  assertAlmostEquals(learningRate, 1e-6, 1e-15);
  // Theirs of momentum and sharpening are not rounded: 2 / 3.75.
  assertAlmostEquals(momentum, 0.996 + 0.004 * 2 / 3.75, 1e-15);
});

Deno.test("scheduleAt() gives numbers where the stretched schedule has one step", () => {
  for (const warmup of [0, 1, 2]) {
    const optimization = { ...AUTHORS, epochs: 1, warmup };
    const schedule = scheduleAt(1, { optimization, criterion: CRITERION }, 1);
    assertEquals(Object.values(schedule).filter((x) => !Number.isFinite(x)), [], `${warmup}`);
  }
});

Deno.test("scheduleAt() sharpens from the start to the final temperature", () => {
  const criterion = { start_sharpen: 0.25, final_sharpen: 0.05 };
  const optimization = { ...AUTHORS, epochs: 8 };
  const sharpen = [1, 2, 8].map((step) => scheduleAt(step, { optimization, criterion }, 1).sharpen);
  for (const [i, expected] of [0.25, 0.23, 0.11].entries()) {
    assertAlmostEquals(sharpen[i]!, expected, 1e-15);
  }
});
