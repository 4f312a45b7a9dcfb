import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Answer, compareWithGuessing } from "../../../src/heads/evaluate/guessing.ts";

/** Answers of which the first are right, the classes in turn. */
function answers(right: number, count: number, K: number): Answer[] {
  return Array.from({ length: count }, (_, i) => ({
    guess: i < right ? i % K : (i + 1) % K,
    truth: i % K,
  }));
}

Deno.test("the verdict is the exact binomial test's", () => {
  // SciPy: binom.sf(9, 50, 0.1) is 0.0245, binom.sf(8, 50, 0.1) 0.0579.
  assert(compareWithGuessing(answers(10, 50, 10), 10).isBetter);
  assert(!compareWithGuessing(answers(9, 50, 10), 10).isBetter);
  // binom.sf(11, 50, 0.1) is 0.0032, binom.sf(10, 50, 0.1) 0.0094.
  const best = { isBestOfSeveral: true };
  assert(compareWithGuessing(answers(12, 50, 10), 10, best).isBetter);
  assert(!compareWithGuessing(answers(11, 50, 10), 10, best).isBetter);
  // Many images, of which all, none or as many as by chance are right.
  for (const [right, isBetter] of [[20_000, true], [10_300, true], [10_000, false], [0, false]]) {
    assertEquals(
      compareWithGuessing(answers(right as number, 20_000, 2), 2).isBetter,
      isBetter as boolean,
    );
  }
});

Deno.test("answers of the same image count once", () => {
  const once = answers(15, 20, 2);
  const four = once.flatMap((answer, image) => Array(4).fill({ ...answer, image }));
  assertEquals(compareWithGuessing(four, 2), compareWithGuessing(once, 2));
});

Deno.test("naming the largest class always is guessing", () => {
  const constant = Array.from({ length: 100 }, (_, i) => ({ guess: 0, truth: i < 80 ? 0 : 1 }));
  const { accuracy, chance, isBetter } = compareWithGuessing(constant, 10);
  assertAlmostEquals(accuracy, 0.8);
  assertAlmostEquals(chance, 0.8);
  assertEquals(isBetter, false);
});

Deno.test("of images of one class, a good classifier is better than one in K", () => {
  const good = Array.from({ length: 10 }, (_, i) => ({ guess: i === 0 ? 1 : 0, truth: 0 }));
  const { chance, isBetter } = compareWithGuessing(good, 10);
  assertEquals([chance, isBetter], [0.1, true]);
});
