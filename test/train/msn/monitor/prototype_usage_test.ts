import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { PrototypeUsage } from "../../../../src/train/msn/monitor/prototype_usage.ts";
import { softmax } from "../../../../src/tensor/softmax.ts";
import { uniform } from "../../../random.ts";

/** Targets [rows, prototypes]. */
function targets(rows: number, prototypes: number, seed: number): Float32Array {
  const number = uniform(seed);
  return Float32Array.from(
    Array.from(
      { length: rows },
      () => [...softmax(Array.from({ length: prototypes }, () => 6 * number()))],
    ).flat(),
  );
}

Deno.test("the figures are those of all targets of all steps", () => {
  const usage = new PrototypeUsage();
  // deno-fmt-ignore
  usage.add(Float32Array.of(
    0.25, 0.25, 0.25, 0.25,
    0, 0.5, 0.5, 0,
  ), 4);
  usage.add(Float32Array.of(0, 1, 0, 0), 4);
  const report = usage.report()!;
  assertEquals(
    [report.prototypes, report.targets, report.prototypesInUse], // 0, 1, 1
    [4, 3, 2],
  );
  assertAlmostEquals(report.targetEntropy, (Math.log(4) + Math.log(2)) / 3, 1e-12);
  assertAlmostEquals(report.targetEntropyShare, 1.5 / 3, 1e-12);
  assertAlmostEquals(report.meanTargetProbability, 1.75 / 3, 1e-12);
});

Deno.test("every prototype counts once, and all do if all are used", () => {
  const usage = new PrototypeUsage();
  for (let step = 0; step < 3; step++) {
    for (let p = 0; p < 10; p += 3) usage.add(new Float32Array(10).fill(1, p, p + 1), 10);
  }
  assertEquals(usage.report()!.prototypesInUse, 4);
  usage.add(Float32Array.from({ length: 100 }, (_, i) => i % 11 === 0 ? 1 : 0), 10);
  assertEquals(usage.report()!.prototypesInUse, 10);
  assertEquals(usage.report()!.targetEntropy, 0);
});

Deno.test("a reset forgets all, also the number of prototypes", () => {
  const usage = new PrototypeUsage();
  assertEquals(usage.report(), undefined);
  usage.add(targets(5, 8, 1), 8);
  usage.reset();
  assertEquals(usage.report(), undefined);
  const fresh = new PrototypeUsage();
  for (const each of [usage, fresh]) each.add(targets(3, 6, 2), 6);
  assertEquals(usage.report(), fresh.report());
});

Deno.test("a run that was saved as JSON and restored reports the same bits", () => {
  const whole = new PrototypeUsage();
  for (let step = 0; step < 6; step++) {
    whole.add(targets(7, 40, step), 40);
  }
  for (const saved of [0, 1, 4, 6]) {
    const before = new PrototypeUsage();
    for (let step = 0; step < saved; step++) before.add(targets(7, 40, step), 40);
    const state = JSON.parse(JSON.stringify(before.state));
    const after = new PrototypeUsage();
    after.add(targets(2, 3, 9), 3);
    after.restore(state);
    before.add(targets(1, 40, 99), 40); // the state is a copy
    for (let step = saved; step < 6; step++) after.add(targets(7, 40, step), 40);
    assertEquals(after.report(), whole.report());
    assertEquals(after.state, whole.state);
  }
});

Deno.test("bad targets and damaged states are refused, and change nothing", () => {
  const usage = new PrototypeUsage();
  usage.add(targets(5, 8, 1), 8);
  const state = usage.state;
  const refuse = (data: Float32Array, prototypes: number, message: string) =>
    assertThrows(() => usage.add(data, prototypes), RangeError, message);
  refuse(new Float32Array(9), 8, "9 numbers are no rows of 8");
  refuse(new Float32Array(4), 1, "K from 2 on");
  refuse(new Float32Array(4), 4, "there were 8, now 4");
  refuse(new Float32Array(8).fill(NaN), 8, "training has diverged");
  const damages = [
    { prototypes: -1 },
    { targets: 0 },
    { targets: 1.5 },
    { entropy: null },
    { largest: NaN },
    { used: [] },
    { used: [8] },
    { used: [1, 1] },
    { used: [0, 1, 2, 3, 4, 5] },
    { used: "1" },
    { used: undefined },
  ];
  for (const damage of damages) {
    const damaged = { ...state, ...damage } as typeof state;
    assertThrows(() => usage.restore(damaged), RangeError, "the state is damaged");
  }
  assertEquals(usage.state, state);
});
