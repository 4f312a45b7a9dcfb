import { assertEquals } from "@std/assert";
import { pool } from "../../../src/model/outputs/pool.ts";

const tokens = Float32Array.of(9, 8, 1, 2, 3, 6); // CLS and two patches of two numbers

Deno.test("pool() takes CLS, or the mean of the patches", () => {
  assertEquals(pool(tokens, 2, "cls"), Float32Array.of(9, 8));
  assertEquals(pool(tokens, 2, "mean"), Float32Array.of(2, 4));
});
