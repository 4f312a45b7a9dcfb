import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { embed } from "../../src/cli/embed.ts";
import { exportModel } from "../../src/cli/export.ts";
import { fit } from "../../src/cli/fit.ts";
import { pretrain } from "../../src/cli/pretrain.ts";
import { decodeImage } from "../../src/mod.ts";
import { pretrainStateToTensors } from "../../src/train/msn/pretrain_state.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";
import { goldenPath } from "../golden/golden.ts";
import { interruptedAt, modelBytes } from "../train/msn/pretrain_run.ts";
import { exists, photos, picture } from "./fit/photos.ts";
import { run, TempFolder } from "./run.ts";

/** A small model, 12 photos in 3 folders, and a configuration that takes milliseconds. */
class Bench extends TempFolder {
  readonly model = this.write("small.onnx", modelBytes());
  readonly out = `${this.path}/my.onnx`;

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  photos(name = "photos", count = 4): Promise<string> {
    return photos(this, name, count);
  }

  /** Options that take little time. */
  get quick(): string[] {
    const model = ["--model", this.model, "--threads", "1"];
    return [...model, "--epochs", "2", "--batch-size", "4"];
  }
}

const PNG = [137, 80, 78, 71, 13, 10, 26, 10];

Deno.test("pretrain makes a file that embed, fit and export take, a log and a report", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const { out } = folder;
  const files = ["--log", folder.at("log.jsonl"), "--html", folder.at("report.html")];
  const args = [source, "--out", out, ...folder.quick, ...files, "--record-every", "12"];
  const { code, stdout, stderr } = await run(pretrain, [...args, "--json"]);
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /pretrain: 0 photos seen: nearest neighbours .*, effective rank /);
  assertMatch(stderr, /pretrain: 24 photos seen: loss \d/);
  const { settings, records, stopped } = JSON.parse(stdout);
  assertEquals([settings.criterion.batch_size, settings.optimization.epochs], [4, 2]);
  assertEquals(records.map(({ step }: { step: number }) => step), [0, 3, 6]);
  assertEquals(stopped, undefined);
  const lines = Deno.readTextFileSync(folder.at("log.jsonl")).trimEnd().split("\n");
  assertEquals(lines.map((line) => JSON.parse(line)), records);
  assertStringIncludes(Deno.readTextFileSync(folder.at("report.html")), "<title>Pre-training");
  assert(!exists(`${out}.training`));

  const photo = `${source}/red/0.png`;
  const embedded = await run(embed, [photo, "--model", out]);
  assertEquals(embedded.code, 0, embedded.stderr);
  assertEquals(JSON.parse(embedded.stdout).embedding.length, 16);
  const fitted = await run(fit, [source, "--model", out, "--out", folder.at("head.onnx")]);
  assertEquals(fitted.code, 0, fitted.stderr);
  const exported = await run(exportModel, [out, "--out", folder.at("folder")]);
  assertEquals(exported.code, 0, exported.stderr);
  assert(exists(folder.at("folder/model.safetensors")));

  const again = await run(pretrain, args); // what it wrote it replaces
  assertEquals(again.code, 0, again.stderr);
  assertMatch(again.stdout, /^24 photos seen in 6 steps\.\nNearest neighbours: .* before\.\n/);
  assertStringIncludes(again.stdout, `deno task fit PHOTOS --model ${out} --out my.onnx`);
});

Deno.test("pretrain --show-views writes a PNG, alone without training, with --out as well", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const views = folder.at("views.png");
  const alone = await run(pretrain, [source, "--show-views", views, ...folder.quick]);
  assertEquals([alone.code, alone.stdout], [0, ""], alone.stderr);
  assertStringIncludes(alone.stderr, "views.png has the views of ");
  const bytes = Deno.readFileSync(views);
  assertEquals([...bytes.subarray(0, 8)], PNG);
  // The photo, the target, a random view and two focal ones, of a batch of 4 photos: cells of 160 and gaps of 8.
  const { width, height } = await decodeImage(bytes);
  assertEquals([width, height], [8 + 5 * 168, 8 + 4 * 168]);
  assert(!exists(folder.out));

  Deno.removeSync(views);
  const both = ["--show-views", views, "--out", folder.out];
  const { code, stderr } = await run(pretrain, [source, ...both, ...folder.quick]);
  assertEquals(code, 0, stderr);
  assertEquals(Deno.readFileSync(views), bytes);
  assert(exists(folder.out));
});

Deno.test("pretrain --config: options win, ignored knobs are a line, a wrong file names itself", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const yaml = folder.write(
    "msn.yaml",
    "criterion:\n  num_proto: 7\n  batch_size: 3\ndata:\n  num_workers: 10\n" +
      "logging:\n  folder: logs\noptimization:\n  epochs: 9\n",
  );
  const args = [source, "--out", folder.out, ...folder.quick, "--json", "--config"];
  const { code, stdout, stderr } = await run(pretrain, [...args, yaml]);
  assertEquals(code, 0, stderr);
  const ignored = stderr.split("\n").filter((line) => line.includes("without effect here"));
  assertEquals(ignored.length, 1);
  assertMatch(ignored[0]!, /msn\.yaml: without effect here: data\.num_workers, logging\.folder$/);
  const { criterion, optimization } = JSON.parse(stdout).settings;
  assertEquals([criterion.num_proto, criterion.batch_size, optimization.epochs], [7, 4, 2]);

  const wrong: [string, string][] = [
    [folder.write("a.yaml", "criterion:\n  protos: 7\n"), "unknown knob criterion.protos"],
    [folder.write("b.yaml", "a: [1"), "it is not YAML"],
    [folder.at("none.yaml"), "none.yaml: "],
    [folder.path, `${folder.path}: `],
  ];
  for (const [path, message] of wrong) {
    const result = await run(pretrain, [...args, path, "--force"]);
    assertEquals([result.code, result.stdout], [1, ""], path);
    assertStringIncludes(result.stderr, path);
    assertStringIncludes(result.stderr, message);
  }
});

Deno.test("pretrain --model goes on from the authors' head and prototypes", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const quick = ["--epochs", "1", "--batch-size", "4", "--threads", "1", "--json"];
  const small = folder.write("small.yaml", "data: {focal_size: 2, focal_views: 1}");
  for (const model of ["msn_training", "msn_training/msn-latest.pth.tar"]) {
    const args = ["--model", goldenPath(model), "--out", folder.out, "--config", small];
    const { code, stdout, stderr } = await run(pretrain, [source, ...args, ...quick]);
    assertEquals(code, 0, stderr);
    const { criterion, meta } = JSON.parse(stdout).settings;
    assertEquals(
      [criterion.num_proto, meta.hidden_dim, meta.output_dim, meta.use_bn],
      [6, 8, 4, true],
    );
    assertEquals(readModelFile(Deno.readFileSync(folder.out)).config.hiddenSize, 20);
  }
  const contrary = folder.write(
    "contrary.yaml",
    "{criterion: {num_proto: 7}, data: {focal_size: 2}}",
  );
  const args = ["--model", goldenPath("msn_training"), "--config", contrary];
  const wrong = await run(pretrain, [source, "--out", folder.out, ...args, ...quick]);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, "num_proto is 7, but 6 in what it goes on from");
});

Deno.test("pretrain --model takes a checkpoint without a head, whose head is new", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const exported = folder.at("checkpoint");
  await run(exportModel, [folder.model, "--out", exported]);
  const quick = ["--epochs", "1", "--batch-size", "4", "--threads", "1"];
  const args = ["--out", folder.out, ...quick, "--model"];
  const fromFolder = await run(pretrain, [source, ...args, exported]);
  assertEquals(fromFolder.code, 0, fromFolder.stderr);
  const weights = Deno.readFileSync(folder.out);
  const fromFile = await run(pretrain, [source, ...args, folder.model]);
  assertEquals(fromFile.code, 0, fromFile.stderr);
  const a = readModelFile(weights).own, b = readModelFile(Deno.readFileSync(folder.out)).own;
  assertEquals(a, b);
});

Deno.test("meta.model_name is a new model of that shape, for images of rand_size", async () => {
  using folder = new Bench();
  const source = folder.at("two");
  for (const i of [0, 1]) folder.write(`two/${i}.png`, await picture([90 * i, 50, 90], i));
  const config = folder.write(
    "named.yaml",
    "meta: {model_name: deit_tiny}\ndata: {rand_size: 32, focal_size: 16, focal_views: 1}",
  );
  const quick = ["--epochs", "1", "--batch-size", "2", "--threads", "1"];
  const args = [source, "--out", folder.out, "--config", config, ...quick];
  const { code, stderr } = await run(pretrain, args);
  assertEquals(code, 0, stderr);
  const { config: made } = readModelFile(Deno.readFileSync(folder.out));
  assertEquals([made.hiddenSize, made.numHiddenLayers], [192, 12]);
  assertEquals([[...made.imageSize], [...made.patchSize]], [[32, 32], [16, 16]]);
});

Deno.test("pretrain --from-scratch takes nothing but the model's shape, and the seed", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const other = folder.write("other.onnx", modelBytes((_, data) => data.map((x) => x / 2)));
  const made = async (model: string, seed: string) => {
    const more = ["--model", model, "--from-scratch", "--seed", seed, "--epochs", "1"];
    const args = [source, "--out", folder.out, "--threads", "1", "--batch-size", "4", ...more];
    const { code, stderr } = await run(pretrain, args);
    assertEquals(code, 0, stderr);
    return Deno.readFileSync(folder.out).toBase64();
  };
  const first = await made(folder.model, "1");
  assertEquals(await made(other, "1"), first);
  assert(await made(folder.model, "2") !== first);
});

Deno.test("pretrain takes a flat folder and a list, and leaves out copies and broken photos", async () => {
  using folder = new Bench();
  for (let i = 0; i < 6; i++) folder.write(`flat/${i}.png`, await picture([40 * i, 9, 9], i));
  Deno.copyFileSync(folder.at("flat/0.png"), folder.at("flat/twin.png"));
  folder.write("flat/broken.jpg", "not a photo");
  const list = folder.write(
    "list.txt",
    "# some\nflat/1.png\n\nflat/2.png\nflat/3.png\nflat/4.png\n",
  );
  const args = ["--out", folder.out, ...folder.quick];
  const flat = await run(pretrain, [folder.at("flat"), ...args]);
  assertEquals(flat.code, 0, flat.stderr);
  assertMatch(flat.stderr, /broken\.jpg: /);
  assertMatch(flat.stderr, /twin\.png: duplicate of .*0\.png/);
  assertStringIncludes(flat.stderr, "pretrain: 2 photos were skipped");
  assert(!flat.stderr.includes("nearest neighbours"));
  assertMatch(flat.stdout, /^8 photos seen in 2 steps\.\nEffective rank: /);
  const listed = await run(pretrain, [list, ...args]);
  assertEquals(listed.code, 0, listed.stderr);
});

Deno.test("pretrain: wrong usage is an error before any work", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const out = ["--out", folder.out];
  const wrong: [string[], string][] = [
    [[], "photos are missing"],
    [[source], "--out is missing"],
    [[source, ...out, "--epochs", "0"], "--epochs is 0"],
    [[source, ...out, "--batch-size", "1"], "--batch-size is 1"],
    [[source, ...out, "--lr", "much"], "--lr is much"],
    [[source, ...out, "--patch-drop", "1"], "--patch-drop is 1"],
    [[source, ...out, "--seed=-1"], "--seed is -1"],
    [[source, ...out, "--threads", "0.5"], "--threads is 0.5"],
    [[source, ...out, "--record-every", "0"], "--record-every is 0"],
    [[source, ...out, "--time-limit", "soon"], "--time-limit is soon"],
    [[source, ...out, "--out-dtype", "f8"], "--out-dtype is f8"],
    [[source, ...out, "--epoch", "1"], "unknown option --epoch; did you mean --epochs?"],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await run(pretrain, args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
  assert(!exists(folder.out));
});

Deno.test("pretrain: what cannot be done is one line that says why", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const { out } = folder;
  folder.write("foreign.onnx", "mine");
  folder.write("broken.onnx.training", "not a state");
  const tensor = { dtype: "float32", shape: [1], data: Float32Array.of(1) } as const;
  folder.write("other.onnx.training", writeSafetensors(new Map([["a", tensor]])));
  folder.write("one/1.png", await picture([9, 9, 9], 1));
  Deno.mkdirSync(folder.at("empty"));
  const wrong: [string[], string][] = [
    [[folder.at("nowhere"), "--out", out], "nowhere: no such file"],
    [[folder.at("empty"), "--out", out], "empty: "],
    [[folder.at("one"), "--out", out], "on 1 images: give two or more"],
    [[source, "--out", folder.at("no/my.onnx")], "its folder does not exist"],
    [[source, "--out", folder.at("foreign.onnx")], "did not make"],
    [[source, "--out", folder.path], "it is a folder"],
    [[source, "--out", folder.at("broken.onnx")], "add --resume to go on with it, or --force"],
    [[source, "--out", out, "--resume"], "there is no interrupted training"],
    [[source, "--out", folder.at("broken.onnx"), "--resume"], "broken.onnx.training: "],
    [
      [source, "--out", folder.at("other.onnx"), "--resume"],
      "it is no state of a pre-training",
    ],
    [[source, "--out", out, "--batch-size", "13"], "the batch has 13 images, the set 12"],
    [[source, "--out", out, "--log", folder.at("no/log")], "its folder does not exist"],
    [[source, "--show-views", folder.at("no/v.png")], "its folder does not exist"],
    [[folder.at("one"), "--show-views", folder.at("v.png")], "there are 1 images"],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await run(pretrain, ["--model", folder.model, ...args]);
    assertEquals([code, stderr.trimEnd().split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("pretrain --resume refuses the state of another training, which stays", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const state = writeSafetensors(pretrainStateToTensors(await interruptedAt(1)));
  const path = folder.write("my.onnx.training", state);
  const args = [source, "--out", folder.out, ...folder.quick];
  const { code, stderr } = await run(pretrain, [...args, "--resume"]);
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    "Cannot resume: the state belongs to a pre-training with another model",
  );
  assert(!stderr.includes("add --resume"), stderr);
  assertEquals(Deno.readFileSync(path), state);
  const forced = await run(pretrain, [...args, "--force"]);
  assertEquals(forced.code, 0, forced.stderr);
  assert(!exists(path));
});

Deno.test("pretrain writes int8, and says when a time limit ended it", async () => {
  using folder = new Bench();
  const source = await folder.photos();
  const args = [source, "--out", folder.out, ...folder.quick, "--time-limit", "0"];
  const { code, stdout, stderr } = await run(pretrain, [...args, "--out-dtype", "int8"]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    "training ended early: the time limit was reached after 1 of 6 steps",
  );
  assertMatch(stdout, /^4 photos seen in 1 step\./);
});
