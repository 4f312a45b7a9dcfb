import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { concat } from "@std/bytes/concat";
import { classify } from "../../src/cli/classify.ts";
import { goldenPath, readGolden } from "../golden/golden.ts";
import { runCommand } from "../../src/cli/command.ts";
import { EMPTY_SYSTEM, run, TempFolder } from "./run.ts";
import { convert } from "../../src/cli/convert.ts";
import { evaluate } from "../../src/cli/evaluate.ts";
import { labelTable } from "../../src/cli/output/label_table.ts";
import { decodeImage, loadModel } from "../../src/mod.ts";
import { readModel } from "../../src/onnx/read_model.ts";
import { writeModel } from "../../src/onnx/write_model.ts";
import { jsonLines, type Line } from "./json_lines.ts";

const png = readGolden("decoded.safetensors").get("png_rgb.file")!.data as Uint8Array<ArrayBuffer>;

for (const { name: file } of Deno.readDirSync("test/images")) {
  if (!file.endsWith(".jpg")) continue;
  const name = file.replace(".jpg", "");
  Deno.test(`classify names the ${name} of the example images`, async () => {
    const { code, stdout, stderr } = await run(classify, [`test/images/${name}.jpg`, "--json"]);
    assertEquals([code, stderr], [0, ""]);
    const [line] = jsonLines(stdout);
    assertEquals(line?.labels?.[0]?.label, name);
    assertEquals(line?.labels?.length, 5);
    const scores = line!.labels!.map(({ score }) => score);
    assertEquals(scores, scores.toSorted((a, b) => b - a));
    assert(scores.every((score) => score > 0 && score < 1));
  });
}

Deno.test("classify prints a table: file, labels, scores, bars", async () => {
  const { code, stdout } = await run(classify, ["test/images/ship.jpg", "--top-k", "2"]);
  assertEquals(code, 0);
  const [file, first, second, ...rest] = stdout.split("\n");
  assertEquals(file, "test/images/ship.jpg");
  assertMatch(first!, /^ {2}ship +\d+\.\d % {2}█+/);
  assertMatch(second!, /^ {2}[a-z]+ +\d+\.\d %/);
  assertEquals(rest, [""]);
});

Deno.test("values of a regression are printed as they are: no percentages, no bars", async () => {
  using folder = new TempFolder();
  const model = `${folder.path}/regression.onnx`;
  const config = JSON.parse(Deno.readTextFileSync(goldenPath("tiny/config.json")));
  folder.write("model/config.json", JSON.stringify({ ...config, problem_type: "regression" }));
  folder.write("model/model.safetensors", Deno.readFileSync(goldenPath("tiny/model.safetensors")));
  await run(convert, [`${folder.path}/model`, "--out", model]);
  const args = ["test/images/ship.jpg", "--model", model];
  await using loaded = await loadModel(Deno.readFileSync(model));
  const image = await decodeImage(Deno.readFileSync("test/images/ship.jpg"));
  const pixel_values = loaded.processor.preprocess([image]);
  const logits = (await loaded.forward({ pixel_values })).get("logits")!.data as Float32Array;
  const { stdout } = await run(classify, [...args, "--json"]);
  const [{ labels }] = jsonLines(stdout) as [Required<Line>];
  assertEquals(
    Float32Array.from(labels.map(({ score }) => score)),
    logits.toSorted().reverse().slice(0, 5),
  );

  const table = await run(classify, args, { isTerminal: true });
  assertEquals([table.code, table.stderr], [0, ""]);
  const [, ...rows] = table.stdout.trimEnd().split("\n");
  assertEquals(rows.length, labels.length);
  rows.forEach((row, i) => {
    assertMatch(row, /^ {2}\S+ {2}-?\d+\.\d+$/);
    assertAlmostEquals(Number(row.trim().split(/ +/)[1]), labels[i]!.score, 1e-4);
  });
  const threshold = await run(classify, [...args, "--threshold", "0.5"]);
  assertEquals(threshold.code, 2);
  assertStringIncludes(threshold.stderr, "the model outputs regression values");
  folder.write(`photos/${labels[0]!.label}/1.png`, png);
  const evaluated = await run(evaluate, [`${folder.path}/photos`, "--model", model]);
  assertEquals(evaluated.code, 1);
  assertStringIncludes(evaluated.stderr, "the model outputs regression values");
});

Deno.test("values of a regression below 0 are values, too", () => {
  const labels = [{ label: "age", score: 41.25 }, { label: "change", score: -1234567.5 }];
  assertEquals(
    labelTable("a.jpg", labels, { color: false, columns: 80 }, { areValues: true }),
    "a.jpg\n  age     41.25\n  change  -1234568\n",
  );
});

Deno.test("classify colours a terminal's table and nothing else", async () => {
  const args = ["test/images/ship.jpg"];
  const plain = await run(classify, args);
  const colored = await run(classify, args, { isTerminal: true, color: true });
  const noColor = await run(classify, args, { isTerminal: true, color: false });
  assert(!plain.stdout.includes("\x1b"));
  assert(colored.stdout.includes("\x1b["));
  assertEquals(noColor.stdout, plain.stdout);
  // deno-lint-ignore no-control-regex
  assertEquals(colored.stdout.replaceAll(/\x1b\[\d+m/g, ""), plain.stdout);
});

Deno.test("a score too small for a bar ends its line, in colour too", () => {
  const labels = [{ label: "ship", score: 0.9999 }, { label: "truck", score: 0.0001 }];
  const [, first, second] = labelTable("a.jpg", labels, { color: true, columns: 80 }).split("\n");
  assertMatch(first!, /█/);
  assertEquals(second, "  truck    0.0 %");
});

Deno.test("classify keeps to --threshold, and says so where no label reaches it", async () => {
  const args = ["test/images/ship.jpg", "--threshold", "1"];
  assertStringIncludes((await run(classify, args)).stdout, "no label reaches the threshold");
  assertEquals(jsonLines((await run(classify, [...args, "--json"])).stdout)[0]?.labels, []);
});

/** Every label's score. */
async function scores(...options: string[]): Promise<Map<string, number>> {
  const args = ["test/images/ship.jpg", "--json", "--top-k", "10", ...options];
  const { code, stdout, stderr } = await run(classify, args);
  assertEquals([code, stderr], [0, ""]);
  return new Map(jsonLines(stdout)[0]!.labels!.map(({ label, score }) => [label, score]));
}

Deno.test("classify gives about the same scores with every --backend and any --threads", async () => {
  for (const keep of [[], ["--keep-patches", "0.5", "--seed", "3"]]) {
    const expected = await scores(...keep);
    for (const options of [["simd"], ["simd", "--threads", "2"], ["wasm"]]) {
      const actual = await scores("--backend", ...options, ...keep);
      assertEquals([...actual.keys()].toSorted(), [...expected.keys()].toSorted());
      // The embedded model's products are in 8 bits: a last bit may become a step of them.
      for (const [label, score] of actual) assertAlmostEquals(score, expected.get(label)!, 5e-3);
    }
  }
});

Deno.test("classify --keep-patches looks at some patches, and --seed chooses which", async () => {
  const all = await scores();
  assertEquals(await scores("--keep-patches", "1"), all);
  const half = await scores("--keep-patches", "0.5");
  assertNotEquals(half, all);
  assertEquals(await scores("--keep-patches", "0.5", "--seed", "0"), half);
  assertNotEquals(await scores("--keep-patches", "0.5", "--seed", "1"), half);
});

Deno.test("classify says why --backend simd or --threads cannot have another tool's model", async () => {
  using folder = new TempFolder();
  const model = readModel(Deno.readFileSync("functions/_shared/model.onnx"));
  const [node, ...nodes] = model.graph.nodes.toReversed();
  const renamed = {
    ...node!,
    opType: "Identity",
    inputs: node!.inputs.slice(0, 1),
    attributes: new Map(),
  };
  const graph = { ...model.graph, nodes: [...nodes.toReversed(), renamed] };
  const path = folder.write("other.onnx", concat(writeModel({ ...model, graph })));
  for (const options of [["--backend", "simd"], ["--threads", "2"]]) {
    const { code, stderr } = await run(classify, ["x.jpg", "--model", path, ...options]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "its graph is not the one that `deno task convert` writes today");
  }
});

Deno.test("classify ends when nobody reads its output any more", async () => {
  let writes = 0;
  const broken = {
    isTerminal: false,
    color: false,
    columns: 80,
    write: () => {
      writes++;
      throw new Deno.errors.BrokenPipe();
    },
  };
  const stderr = { ...broken, write: () => assert(false, "nothing to say") };
  const terminal = { stdin: ReadableStream.from([]), stdout: broken, stderr, system: EMPTY_SYSTEM };
  const ship = "test/images/ship.jpg";
  assertEquals(await runCommand(classify, [ship, ship], terminal), 1);
  assertEquals(writes, 1);
});

Deno.test("classify draws a progress bar for many images on a terminal", async () => {
  using folder = new TempFolder();
  for (let i = 0; i < 12; i++) folder.write(`${i}.png`, png);
  const onTerminal = await run(classify, [folder.path, "--json"], { isTerminal: true });
  assertMatch(onTerminal.stderr, /█.*\d+\/12 .*\/s .* left/);
  assert(onTerminal.stderr.endsWith("\r\x1b[K")); // taken away at the end
  assertEquals((await run(classify, [folder.path, "--json"])).stderr, "");
});

const WRONG_USES: [string[], string][] = [
  [[], "no image given"],
  [["x.jpg", "--top-k", "0"], "--top-k is 0, not an integer of at least 1"],
  [["x.jpg", "--top-k", "2.5"], "--top-k is 2.5"],
  [["x.jpg", "--top-k"], "--top-k requires a value"],
  [["x.jpg", "--threshold", "2"], "--threshold is 2, not a number from 0 to 1"],
  [["x.jpg", "--threshold", "high"], "--threshold is high"],
  [["x.jpg", "--backend", "gpu"], "--backend is gpu, not one of auto, simd, wasm"],
  [["x.jpg", "--threads", "0"], "--threads is 0, not an integer from 1 to 64"],
  [["x.jpg", "--threads", "65"], "--threads is 65"],
  [["x.jpg", "--threads", "1.5"], "--threads is 1.5"],
  [["x.jpg", "--backend", "wasm", "--threads", "2"], "--backend wasm runs in one thread"],
  [["x.jpg", "--backend=webgpu", "--threads=2"], "--backend webgpu runs in one thread"],
  [["x.jpg", "--keep-patches", "0"], "--keep-patches is 0, not a number above 0"],
  [["x.jpg", "--keep-patches", "1.1"], "--keep-patches is 1.1, not a number from 0 to 1"],
  [["x.jpg", "--keep-patches", "half"], "--keep-patches is half"],
  [["x.jpg", "--seed", "1"], "--seed requires --keep-patches"],
  [["x.jpg", "--keep-patches", "0.5", "--seed", "0.5"], "--seed is 0.5, not an integer"],
  [["x.jpg", "--topk", "3"], "unknown option --topk; did you mean --top-k?"],
  [["x.jpg", "-k", "3"], "unknown option -k; see"],
  [["x.jpg", "--top-k", "-1"], "a negative value is written --option=-1"],
  [["x.jpg", "--top-k=-1"], "--top-k is -1"],
  [["x.jpg", "--top-k=1", "--top-k=2"], "--top-k is given 2 times"],
  [["x.jpg", "--json=yes"], "--json takes no value"],
  [["x.jpg", "--_", "y"], "unknown option --_; see"],
  [[""], "an argument is empty"],
];
for (const [args, message] of WRONG_USES) {
  Deno.test(`classify refuses wrong usage with exit code 2: ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await run(classify, args);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^classify: .*--help`\n$/);
    assertStringIncludes(stderr, message);
  });
}

Deno.test("classify refuses models that are missing, none, bare or backbones", async () => {
  using folder = new TempFolder();
  const backbone = `${folder.path}/backbone.onnx`;
  await run(convert, [goldenPath("tiny_backbone"), "--out", backbone]);
  const cases: [string, string][] = [
    [`${folder.path}/none.onnx`, "no such file"],
    [folder.path, "found none of onnx/model.onnx, model.onnx"],
    [folder.write("empty.onnx", ""), "not an ONNX file"],
    [folder.write("text.onnx", "hello\n".repeat(99)), "not an ONNX file"],
    [
      folder.write("cut.onnx", Deno.readFileSync(backbone).subarray(0, 9999)),
      "Cannot read the ONNX model",
    ],
    [backbone, "backbone without a trained classifier"],
  ];
  for (const [model, message] of cases) {
    const { code, stdout, stderr } = await run(classify, ["x.jpg", "--model", model]);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^classify: .*\n$/);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("classify --help shows usage, options and examples", async () => {
  for (const flag of ["--help", "-h"]) {
    const { code, stdout, stderr } = await run(classify, [flag]);
    assertEquals([code, stderr], [0, ""]);
    for (const part of ["Usage: deno task classify", "--top-k K", "Examples:"]) {
      assertStringIncludes(stdout, part);
    }
  }
});
