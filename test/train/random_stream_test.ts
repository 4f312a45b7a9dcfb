import { assert, assertEquals } from "@std/assert";
import { randomStream, shuffled } from "../../src/train/random_stream.ts";

function first(count: number, seed: number, ...purpose: number[]): number[] {
  const random = randomStream(seed, ...purpose);
  return Array.from({ length: count }, random);
}

Deno.test("a random stream has the same numbers again, and no other has them", () => {
  assertEquals(first(5, 3, 1, 2), first(5, 3, 1, 2));
  const seen = new Set<number>();
  for (let seed = 0; seed < 8; seed++) {
    for (let purpose = 0; purpose < 8; purpose++) {
      for (let index = 0; index < 40; index++) seen.add(first(1, seed, purpose, index)[0]!);
    }
  }
  assert(seen.size >= 8 * 8 * 40 - 2, `${seen.size}`);
});

Deno.test("the first numbers of neighbouring streams are uniform and independent", () => {
  const numbers = Array.from({ length: 4000 }, (_, i) => first(1, 0, 1, i)[0]!);
  const mean = numbers.reduce((a, b) => a + b) / numbers.length;
  assert(Math.abs(mean - 0.5) < 0.02, `${mean}`);
  const products = numbers.slice(1).map((x, i) => (x - 0.5) * (numbers[i]! - 0.5));
  const correlation = 12 * products.reduce((a, b) => a + b) / products.length;
  assert(Math.abs(correlation) < 0.06, `${correlation}`);
});

Deno.test("shuffled() has each number once, and each order as often", () => {
  assertEquals([shuffled(0, Math.random), shuffled(1, Math.random)], [[], [0]]);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = shuffled(3, randomStream(i, 2));
    assertEquals(order.toSorted(), [0, 1, 2]);
    counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const [order, count] of counts) assert(Math.abs(count - 1000) < 150, `${order}: ${count}`);
});
