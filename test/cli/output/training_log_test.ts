import { assertEquals, assertRejects } from "@std/assert";
import { appendRecord, MAX_LINE, recordJson } from "../../../src/cli/output/training_log.ts";
import type { FinetuneRecord } from "../../../src/train/finetune/training_record.ts";
import { TempFolder } from "../run.ts";
import { trainingRecords } from "./training_records.ts";

const records = trainingRecords(2) as [FinetuneRecord, FinetuneRecord];
const [first, second] = [recordJson(records[0]), recordJson(records[1])];

const epochsOf = (path: string) => {
  const text = Deno.readTextFileSync(path);
  assertEquals(text.at(-1), "\n");
  return text.slice(0, -1).split("\n").map((line) => JSON.parse(line).epoch);
};

Deno.test("a log has a line an epoch, and another run appends to it", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/run.jsonl`;
  await appendRecord(path, first);
  await appendRecord(path, second);
  assertEquals(epochsOf(path), [1, 2]);
});

Deno.test("a last line that was cut anywhere is removed, and one that only lacks its end is kept", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/run.jsonl`;
  await appendRecord(path, first);
  await appendRecord(path, second);
  const whole = Deno.readFileSync(path);
  const lineStart = whole.indexOf(10) + 1;
  for (let length = 0; length <= whole.length; length++) {
    Deno.writeFileSync(path, whole.subarray(0, length));
    await appendRecord(path, { ...second, epoch: 3 });
    const kept = length >= whole.length - 1 ? [1, 2] : length >= lineStart - 1 ? [1] : [];
    assertEquals(epochsOf(path), [...kept, 3], `${length} bytes`);
  }
});

Deno.test("a long log is repaired, too", async () => {
  using folder = new TempFolder();
  const line = '{"epoch":1,"note":"' + "é".repeat(20000) + '"}\n';
  const path = folder.write("run.jsonl", line.repeat(3) + '{"epoch":4,"lo');
  await appendRecord(path, second);
  assertEquals(epochsOf(path), [1, 1, 1, 2]);
});

Deno.test("a file of something else is refused and stays as it is", async () => {
  using folder = new TempFolder();
  const note = '{"epoch":1}\nmy notes';
  for (const text of [note, '{"epoch":1}\n' + '{"epoch":' + "x".repeat(MAX_LINE)]) {
    const path = folder.write("other.txt", text);
    const error = await assertRejects(() => appendRecord(path, first), Error);
    assertEquals(
      error.message,
      `Cannot write ${path}: its last line is not of a log of training; give another file, or end that line`,
    );
    assertEquals(Deno.readTextFileSync(path), text);
  }
});

Deno.test("the longest line that can be cut is MAX_LINE bytes long", async () => {
  using folder = new TempFolder();
  const start = '{"epoch":';
  const path = folder.write("run.jsonl", "{}\n" + start + "x".repeat(MAX_LINE - start.length));
  await appendRecord(path, first);
  assertEquals(epochsOf(path), [undefined, 1]);
});

Deno.test("a folder and a file in a folder that does not exist cannot be logs", async () => {
  using folder = new TempFolder();
  await assertRejects(() => appendRecord(folder.path, first), Error, "it is a folder");
  const path = `${folder.path}/none/run.jsonl`;
  await assertRejects(() => appendRecord(path, first), Error, "its folder does not exist");
});

Deno.test("what does not begin with its epoch is no record, and nothing is written", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/run.jsonl`;
  for (const [json, key] of [[{ step: 1, epoch: 1 }, "step"], [{}, "undefined"]] as const) {
    await assertRejects(
      () => appendRecord(path, json),
      TypeError,
      `Cannot log a record: it begins with ${key}; begin it with epoch`,
    );
  }
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("figures that are not finite are null in a log", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/run.jsonl`;
  const validation = { accuracy: NaN, loss: Infinity, images: 3 };
  const diverged = { ...records[0], loss: NaN, gradientNorm: -Infinity, validation };
  await appendRecord(path, recordJson(diverged));
  const { loss, gradient_norm, validation: written } = JSON.parse(Deno.readTextFileSync(path));
  assertEquals([loss, gradient_norm], [null, null]);
  assertEquals(written, { accuracy: null, loss: null, images: 3 });
});
