import { assert, assertEquals } from "@std/assert";
import { exp } from "../../src/tensor/exp.ts";

Deno.test("exp() is as close to the exponential function as doubles come", () => {
  let worst = 0;
  for (let x = -708; x <= 709; x += 0.0137) {
    worst = Math.max(worst, Math.abs(exp(x) / Math.exp(x) - 1));
  }
  console.log(`exp() differs from Math.exp by ${worst / Number.EPSILON} ε at most`);
  assert(worst <= 3 * Number.EPSILON);
});

Deno.test("exp() has known bits, limits, and no value of NaN", () => {
  // Written down once, on V8: other engines must give them, too.
  assertEquals([-0.5, 0.1, 10].map(exp), [
    0.6065306597126334,
    1.1051709180756477,
    22026.465794806718,
  ]);
  assertEquals([exp(0), exp(-0), exp(-1e9), exp(1e9)], [1, 1, 0, Infinity]);
  assertEquals([exp(-Infinity), exp(Infinity), exp(NaN)], [0, Infinity, NaN]);
});
