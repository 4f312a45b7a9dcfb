import { assertEquals } from "@std/assert";
import { durationText } from "../../../src/cli/output/duration_text.ts";

Deno.test("a duration is rounded up and changes its form at an hour and at a day", () => {
  const cases: [number, string | undefined][] = [
    [0, "0:00"],
    [0.1, "0:01"],
    [59.5, "1:00"],
    [3599, "59:59"],
    [3599.5, "1:00:00"],
    [86399, "23:59:59"],
    [86400, "1 d 0 h"],
    [2 * 86400 - 1, "2 d 0 h"],
    [Infinity, undefined],
    [NaN, undefined],
    [-1, undefined],
  ];
  for (const [seconds, text] of cases) assertEquals(durationText(seconds), text, `${seconds}`);
});
