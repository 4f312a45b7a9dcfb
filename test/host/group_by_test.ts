import { assertEquals } from "@std/assert";
import { groupBy } from "../../src/host/group_by.ts";

Deno.test("groupBy() gives what Map.groupBy() gives", () => {
  const words = ["one", "two", "three", "four", "five", ""];
  const lengthOf = (word: string) => word.length;
  assertEquals([...groupBy(words, lengthOf)], [...Map.groupBy(words, lengthOf)]);
  assertEquals(groupBy(new Set<string>(), lengthOf).size, 0);
});
