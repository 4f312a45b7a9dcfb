import { assertEquals } from "@std/assert";
import { FailureLog } from "../../../src/cli/output/failure_log.ts";
import { EMPTY_SYSTEM } from "../run.ts";

/** What a log of some images writes. */
function written(count: number, json: boolean) {
  const texts = { stdout: "", stderr: "", end: "" };
  const output = (name: "stdout" | "stderr") => ({
    isTerminal: false,
    color: false,
    columns: 80,
    write: (text: string) => void (texts[name] += text),
  });
  const log = new FailureLog({
    stdin: new ReadableStream(),
    stdout: output("stdout"),
    stderr: output("stderr"),
    system: EMPTY_SYSTEM,
  }, { json, maxLines: 2 });
  for (let i = 0; i < count; i++) log.add(`${i}.jpg`, "it is\nempty");
  log.end((message) => texts.end += message);
  return texts;
}

Deno.test("of many images that failed, stderr names the first ones and counts the others", () => {
  const stderr = "0.jpg: it is empty\n1.jpg: it is empty\n";
  assertEquals(written(2, false), { stdout: "", stderr, end: "" });
  assertEquals(written(3, false), {
    stdout: "",
    stderr,
    end: "1 more image failed; --json lists all",
  });
  const { stdout, ...more } = written(5, true);
  assertEquals(more, { stderr, end: "3 more images failed; --json lists all" });
  assertEquals(
    stdout.trimEnd().split("\n").map((line) => JSON.parse(line)),
    [0, 1, 2, 3, 4].map((i) => ({ file: `${i}.jpg`, error: "it is empty" })),
  );
});
