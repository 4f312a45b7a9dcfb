import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { classify } from "../../src/cli/classify.ts";
import { exportModel } from "../../src/cli/export.ts";
import { finetune } from "../../src/cli/finetune.ts";
import { tuneOption } from "../../src/cli/options/tune_option.ts";
import { UsageError } from "../../src/cli/command.ts";
import { assertThrows } from "@std/assert";
import { exists, photos } from "./fit/photos.ts";
import { run, TempFolder } from "./run.ts";

/** Options that take a second. */
const QUICK = ["--epochs", "1", "--threads", "1", "--validation", "0.3"];

Deno.test("finetune makes a file that classify and export take, a log and a report", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 8);
  const path = (name: string) => `${folder.path}/${name}`;
  const { code, stdout, stderr } = await run(finetune, [
    source,
    "--out",
    path("my.onnx"),
    "--log",
    path("log.jsonl"),
    "--html",
    path("report.html"),
    "--tune",
    "last:1",
    "--json",
    ...QUICK,
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "finetune: epoch 1/1: loss ");
  const result = JSON.parse(stdout);
  assertEquals(result.labels.length, 3);
  assert(result.accuracy >= result.frozen_accuracy);
  assertEquals(result.held_out, 6);
  assertEquals(result.records.length, 1);
  assertEquals(JSON.parse(Deno.readTextFileSync(path("log.jsonl"))).epoch, 1);
  assertStringIncludes(Deno.readTextFileSync(path("report.html")), "<title>Fine-tuning");
  assert(!exists(path("my.onnx.training")));

  const labels = await run(classify, [source, "--model", path("my.onnx"), "--json"]);
  assertEquals(labels.code, 0);
  assertEquals(labels.stdout.trimEnd().split("\n").length, 24);
  const exported = await run(exportModel, [path("my.onnx"), "--out", path("folder")]);
  assertEquals(exported.code, 0, exported.stderr);
  assert(exists(path("folder/model.safetensors")));
});

Deno.test("finetune writes int8, takes a folder to hold out, and says what it chose", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 3);
  const others = await photos(folder, "others", 2, { seed: 9000 });
  const out = `${folder.path}/my.onnx`;
  const { code, stdout, stderr } = await run(finetune, [
    source,
    ...["--out", out, "--validation", others, "--out-dtype", "int8", "--threads", "2"],
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "finetune: Chose head: 3.0 photos a class are too few");
  assertMatch(stdout, /3 classes; tuned head\.\nRight of 6 held-out photos: /);
  assert(Deno.statSync(out).size < 4e6);
});

Deno.test("finetune leaves out photos that it cannot read, and those that are there twice", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 4);
  const [label] = [...Deno.readDirSync(source)].map(({ name }) => name);
  const [photo] = [...Deno.readDirSync(`${source}/${label}`)].map(({ name }) => name);
  folder.write(`photos/${label}/broken.jpg`, "not a photo");
  Deno.copyFileSync(`${source}/${label}/${photo}`, `${source}/${label}/twin.png`);
  const out = `${folder.path}/my.onnx`;
  const { code, stderr } = await run(finetune, [source, "--out", out, "--tune", "head", ...QUICK]);
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /broken\.jpg: /);
  assertMatch(stderr, /: duplicate of .*\n/);
  assertStringIncludes(stderr, "finetune: 2 photos were skipped");
});

Deno.test("finetune: wrong usage is an error before any work", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 4);
  const out = `${folder.path}/my.onnx`;
  const wrong: [string[], string][] = [
    [[], "expected one folder or table of photos, got 0"],
    [[source], "--out is missing"],
    [[source, "--out", out, "--tune", "some"], "--tune is some, not auto, head, last:N"],
    [[source, "--out", out, "--epochs", "0"], "--epochs is 0, not an integer from 1"],
    [[source, "--out", out, "--lr", "much"], "--lr is much, not a number"],
    [[source, "--out", out, "--validation", "1.5"], "--validation is 1.5, not a share"],
    [[source, "--out", out, "--class-weight", "x"], "--class-weight is x"],
    [[source, "--out", out, "--epoch", "1"], "unknown option --epoch; did you mean --epochs?"],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await run(finetune, args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
  assert(!exists(out));
});

Deno.test("finetune: what cannot be done is one line that says why", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 4);
  const out = `${folder.path}/my.onnx`;
  const [label] = [...Deno.readDirSync(source)].map(({ name }) => name);
  const table = folder.write("one.csv", "path,label\n");
  folder.write("foreign.onnx", "mine");
  folder.write("broken.onnx.training", "not a state");
  folder.write(
    "other.onnx.training",
    writeSafetensors(new Map([["a", { dtype: "float32", shape: [1], data: Float32Array.of(1) }]])),
  );
  const wrong: [string[], string][] = [
    [[`${folder.path}/nowhere`, "--out", out], "nowhere: no such file"],
    [[table, "--out", out], "it has no rows"],
    [[source, "--out", `${folder.path}/no/my.onnx`], "its folder does not exist"],
    [[source, "--out", `${folder.path}/foreign.onnx`], "did not make"],
    [[source, "--out", folder.path], "it is a folder"],
    [[source, "--out", `${folder.path}/broken.onnx`], "add --resume to go on with it"],
    [[source, "--out", out, "--resume"], "there is no interrupted training"],
    [[source, "--out", `${folder.path}/broken.onnx`], "add --resume to go on with it, or --force"],
    [[source, "--out", `${folder.path}/broken.onnx`, "--resume"], "broken.onnx.training: "],
    [[source, "--out", `${folder.path}/other.onnx`, "--resume"], "it is no state of a training"],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await run(finetune, args);
    assertEquals([code, stderr.trimEnd().split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, message);
  }
  const single = `${folder.path}/single`;
  Deno.mkdirSync(single);
  Deno.renameSync(`${source}/${label}`, `${single}/${label}`);
  const { code, stderr } = await run(finetune, [single, "--out", out]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, `there is only the class ${label}`);
});

Deno.test("--tune", () => {
  assertEquals(tuneOption(), { kind: "auto" });
  assertEquals(tuneOption("last:3"), { kind: "last", blocks: 3 });
  assertEquals(tuneOption("lora:8"), { kind: "lora", rank: 8, alpha: 16 });
  for (const wrong of ["", "last", "last:0", "lora:-1", "last:1.5", "ALL", "lora:99999"]) {
    assertThrows(() => tuneOption(wrong), UsageError, "--tune is");
  }
});
