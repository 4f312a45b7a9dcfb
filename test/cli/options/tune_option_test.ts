import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/cli/command.ts";
import { tuneOption } from "../../../src/cli/options/tune_option.ts";
import { tuneText } from "../../../src/train/finetune/tune_text.ts";

Deno.test("--tune is what learns", () => {
  assertEquals(tuneOption(), { kind: "auto" });
  assertEquals(tuneOption("lora:8"), { kind: "lora", rank: 8, alpha: 16 });
  for (const text of ["auto", "head", "all", "last:1", "last:12", "lora:4"]) {
    assertEquals(tuneText(tuneOption(text)), text);
  }
});

Deno.test("--tune rejects what is no kind of tuning", () => {
  const wrong = ["", "ALL", "all:1", "head:2", "last", "last:", "last:0", "last:-1", "last:1.5"];
  for (const text of [...wrong, "lora", "lora:0", "lora:x", "last:99999", " all", "last:1 "]) {
    assertThrows(() => tuneOption(text), UsageError, `--tune is ${text}, not auto, head, last:N`);
  }
});
