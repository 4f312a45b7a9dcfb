import { assert, assertEquals } from "@std/assert";
import { exp } from "../../src/tensor/exp.ts";

Deno.test("exp agrees with the host's own up to two units in the last place", () => {
  for (let x = -700; x <= 700; x += 0.37) {
    const difference = Math.abs(exp(x) - Math.exp(x)) / Math.exp(x);
    assert(difference <= 2 ** -51, `${x}: ${difference}`);
  }
});

Deno.test("exp is what it was on every host, to the last bit", () => {
  assertEquals(
    [-1, 1, -0.1, 10].map(exp),
    [0.36787944117144233, 2.7182818284590455, 0.9048374180359595, 22026.465794806718],
  );
});

Deno.test("exp has the limits of exponentials", () => {
  assertEquals([-Infinity, -1e9, -0, 0, 1e9, Infinity, NaN].map(exp), [
    0,
    0,
    1,
    1,
    Infinity,
    Infinity,
    NaN,
  ]);
});
