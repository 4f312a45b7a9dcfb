import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { learningRateAt } from "../../../src/train/finetune/schedule.ts";
import { finetuneCase } from "../../golden/training.ts";

Deno.test("the learning rate is that of Hugging Face, which has the peak twice", () => {
  const { settings: { lr }, json } = finetuneCase("full");
  const { warmup_steps, lr_peak } = json as { warmup_steps: number; lr_peak: number };
  assertEquals(lr.length, 10);
  assertEquals(lr[warmup_steps], lr[warmup_steps - 1]);
  for (const [i, expected] of lr.toSpliced(warmup_steps, 1).entries()) {
    const rate = learningRateAt(i + 1, lr.length - 1, warmup_steps, lr_peak);
    assertAlmostEquals(rate, expected, 1e-12, `step ${i + 1}`);
  }
});

Deno.test("the learning rate never is 0 or above its peak, whatever the warm-up", () => {
  for (const steps of [1, 2, 7]) {
    for (let warmup = 0; warmup <= steps; warmup++) {
      const rates = Array.from(
        { length: steps },
        (_, i) => learningRateAt(i + 1, steps, warmup, 0.5),
      );
      assert(rates.every((rate) => rate > 0 && rate <= 0.5), `${steps}, ${warmup}: ${rates}`);
      const falling = rates.slice(Math.max(0, warmup - 1));
      assertEquals(falling, falling.toSorted((a, b) => b - a));
    }
  }
});
