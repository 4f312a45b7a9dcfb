import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { compileGlob } from "../../src/search/glob.ts";
import { uniform } from "../random.ts";

Deno.test("patterns mean the same as in SQLite", () => {
  using sqlite = new DatabaseSync(":memory:");
  const glob = sqlite.prepare("select ? glob ? as yes");
  const random = uniform(17);
  const from = (letters: string[], most: number) =>
    Array.from(
      { length: Math.floor(random() * most) },
      () => letters[Math.floor(random() * letters.length)]!,
    ).join("");
  let matches = 0;
  for (let i = 0; i < 30_000; i++) {
    const path = from([..."aab-^]\\.\n\u{1f986}\u{e9}["], 7);
    const pattern = from([..."aab-^]]\\[[***??.c\n\u{1f986}\u{e9}!("], 9);
    const yes = glob.get(path, pattern)!.yes === 1;
    if (yes) matches++;
    const message = JSON.stringify([path, pattern]);
    assertEquals(compileGlob(pattern)(path), yes, message);
  }
  assert(matches > 500, `${matches} match`);
});

Deno.test("a pattern of many parts takes no time with texts that almost match", () => {
  const matches = compileGlob("*a".repeat(100) + "b");
  // Exponential in the number of parts, if each had to try all places.
  assertEquals(matches("a".repeat(2000)), false);
  assertEquals(matches("a".repeat(2000) + "b"), true);
});
