import { assertEquals, assertThrows } from "@std/assert";
import { Problem } from "../../../src/http/problem.ts";
import { isJsonObject, parseJson } from "../../../src/http/request/json.ts";

const encode = (text: string) => new TextEncoder().encode(text);
/** What a route asks for in these tests, and what any document may have besides. */
const VALUES = 100;
const ALL_VALUES = VALUES + 2000;

function statusOf(text: string): number {
  try {
    parseJson(encode(text), VALUES);
    return 200;
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
}

Deno.test("parseJson gives what JSON.parse gives, strings of any kind among it", () => {
  const texts = [
    '{"a":[1,2.5e-3,true,null],"b":{"c":"[[[[,,,:::"}}',
    String.raw`["\"","\\","\\\"","a\\","\u0041",""]`,
    '"\u2603"',
    " [ ] ",
  ];
  for (const text of texts) assertEquals(parseJson(encode(text), VALUES), JSON.parse(text));
});

Deno.test("parseJson holds nesting, values and space against limits, before it parses", () => {
  const list = (length: number) => `[${Array(length).fill("1").join()}]`;
  assertEquals(statusOf(list(ALL_VALUES)), 200);
  assertEquals(statusOf(list(ALL_VALUES + 1)), 413);
  assertEquals(statusOf("[".repeat(16) + "]".repeat(16)), 200);
  assertEquals(statusOf("[".repeat(17) + "]".repeat(17)), 400);
  // One after the other is no nesting.
  assertEquals(statusOf(`[${Array(500).fill("[]").join()}]`), 200);
  assertEquals(statusOf("1" + " ".repeat(64 * ALL_VALUES - 1)), 200);
  assertEquals(statusOf("1" + " ".repeat(64 * ALL_VALUES)), 413);
  // Strings may be as long as they please: they are images.
  assertEquals(statusOf(`"${"x".repeat(1_000_000)}"`), 200);
  // Brackets and commas in strings are none.
  assertEquals(statusOf(`"${"[,".repeat(10_000)}"`), 200);
});

Deno.test("parseJson refuses what is no JSON", () => {
  for (const text of ["", "{", '"', '"\\"', "[1,]", "{a:1}", "1e", "[1]]", "\ufeff{}x"]) {
    assertEquals(statusOf(text), 400, text);
  }
  assertThrows(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), VALUES), Problem, "not JSON");
});

Deno.test("isJsonObject looks behind spaces, as far as a document could have them", () => {
  assertEquals(isJsonObject(encode(' \r\n\t{"a"')), true);
  assertEquals(isJsonObject(encode("[1]")), false);
  assertEquals(isJsonObject(encode("")), false);
  assertEquals(isJsonObject(encode(" ".repeat(1999) + "{")), true);
  assertEquals(isJsonObject(encode(" ".repeat(2000) + "{")), false);
});
