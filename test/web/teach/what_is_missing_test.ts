import { assertEquals } from "@std/assert";
import { whatIsMissing } from "../../../src/web/teach/what_is_missing.ts";

const of = (...counts: number[]) =>
  whatIsMissing(counts.map((count, i) => ({ name: "abcdef"[i]!, count })));

Deno.test("what is missing is said step by step", () => {
  assertEquals(of(), { canFit: false, advice: "Make two classes, and add five photos to each." });
  assertEquals(of(5).advice, "Make a second class, and add five photos to each.");
  assertEquals(of(5, 0).advice, "Add photos to “b”: five a class suffice.");
  assertEquals(of(0, 0, 0).canFit, false);
  assertEquals(of(2, 2), {
    canFit: true,
    advice: "Five photos a class suffice: add 3 to “a” and 3 to “b”. " +
      "With fewer than three a class, the accuracy stays unknown.",
  });
  assertEquals(of(5, 4, 1).advice, "Five photos a class suffice: add 1 to “b” and 4 to “c”.");
  assertEquals(of(5, 5), { canFit: true, advice: "" });
  assertEquals(
    of(4, 4, 4, 4, 4, 4).advice,
    "Five photos a class suffice: add 1 to “a”, 1 to “b”, 1 to “c”, 1 to “d” and 2 more.",
  );
});
