import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { matchesGlob, parseGlob } from "../../src/search/glob.ts";
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
    const parts = parseGlob(pattern);
    const yes = glob.get(path, pattern)!.yes === 1;
    if (yes) matches++;
    const message = JSON.stringify([path, pattern]);
    assertEquals(parts !== undefined && matchesGlob(parts, path), yes, message);
  }
  assert(matches > 500, `${matches} match`);
});

Deno.test("a pattern of many parts is read once: texts that almost match take no time", () => {
  const parts = parseGlob("*a".repeat(100) + "b")!;
  // Exponential in the number of parts, if each had to try all places.
  assertEquals(matchesGlob(parts, "a".repeat(2000)), false);
  assertEquals(matchesGlob(parts, "a".repeat(2000) + "b"), true);
});
