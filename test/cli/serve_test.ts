import { assertEquals, assertStringIncludes } from "@std/assert";
import { build } from "../../src/cli/build.ts";
import { serve } from "../../src/cli/serve.ts";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import { run, TempFolder } from "./run.ts";

Deno.test("serve refuses what makes no sense, before it listens", async () => {
  using folder = new TempFolder();
  const refuses = async (args: string[], message: string, expected = 2) => {
    const { code, stderr } = await run(serve, args);
    assertEquals(code, expected);
    assertStringIncludes(stderr, message);
  };
  await refuses(["photos"], "unexpected argument photos");
  await refuses(["--port", "70000"], "--port is 70000");
  await refuses(["--timeout", "0"], "--timeout is 0");
  await refuses(["--api-key-file", "nowhere"], "nowhere: no such file", 1);
  const empty = folder.write("empty.txt", "# none\n\n");
  await refuses(["--api-key-file", empty], "it contains no key", 1);
  const odd = folder.write("odd.txt", "good\nnot good\n");
  await refuses(["--api-key-file", odd], "key 2 has characters", 1);
  await refuses(["--model", "nowhere.onnx"], "nowhere.onnx: no such file", 1);
  await refuses(["--db", "test/nowhere.sqlite"], "no such file; make it with", 1);
  const db = `${folder.path}/a.sqlite`;
  const model = { sha256: "ab".repeat(32), name: "mine.onnx", pool: "cls", decode: "fast" };
  await (await EmbeddedIndex.create(db, { ...model, dimension: 192 }))[Symbol.asyncDispose]();
  await refuses(["--db", db], "the model mine.onnx (SHA-256 abababababab…) made its vectors", 1);
  await refuses(["--db", db, "--decode", "exact"], "decoded with --decode fast, not exact", 1);
});

Deno.test("build refuses what it cannot bundle", async () => {
  const moon = await run(build, ["--target", "moon"]);
  assertEquals(moon.code, 2);
  const none = await run(build, ["--model", "deno.json"]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, "deno.json: Cannot read the ONNX");
  const both = await run(build, ["--with-onnxruntime", "--weights", "packed"]);
  assertEquals(both.code, 2);
  assertStringIncludes(both.stderr, "--with-onnxruntime requires --weights onnx");
  for (
    const [args, words] of [
      [["--target", "workers", "--with-onnxruntime"], "--with-onnxruntime does not go with"],
      [["--target", "npm", "--decode", "fast"], "--decode is for functions"],
      [["--target", "container", "--decode", "slow"], "--decode is slow, not one of"],
    ] as const
  ) {
    const { code, stderr } = await run(build, args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, words);
  }
  const weights = await run(build, ["--weights", "zip"]);
  assertEquals(weights.code, 2);
  assertStringIncludes(weights.stderr, "--weights is zip, not one of packed, onnx");
});
