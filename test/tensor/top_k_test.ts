import { assertEquals } from "@std/assert";
import { topK } from "../../src/tensor/top_k.ts";

Deno.test("topK() puts the earlier of equal values first and gives no more than there are", () => {
  assertEquals(topK([1, 3, 3, 2], 3), [1, 2, 3]);
  assertEquals(topK([1, 3], 10), [1, 0]);
  assertEquals(topK([], 1), []);
});
