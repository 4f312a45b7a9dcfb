import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { convert } from "../../src/cli/convert.ts";
import { exportModel } from "../../src/cli/export.ts";
import { forward } from "../../src/cli/forward.ts";
import { readSafetensors, writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { fitHead } from "../../src/heads/fit/fit_head.ts";
import type { HeadMethod } from "../../src/vit_msn/head/head_parameters.ts";
import { tensorBytes } from "../../src/tensor/tensor.ts";
import { writeHeadFile } from "../../src/vit_msn/head/head_file.ts";
import type { HeadParameters } from "../../src/vit_msn/head/head_parameters.ts";
import { readModelFile, writeModelWithHead } from "../../src/vit_msn/model_file.ts";
import { concat } from "@std/bytes/concat";
import { goldenPath, maxDifference, readGolden } from "../golden/golden.ts";
import { goldenModel } from "../golden/model.ts";
import { clusters } from "../heads/fit/samples.ts";
import { run, TempFolder } from "./run.ts";

const FILES = ["config.json", "model.safetensors", "preprocessor_config.json"];
const namesIn = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).toSorted();

Deno.test("export writes what convert read, byte for byte in the weights", async () => {
  using folder = new TempFolder();
  const model = `${folder.path}/model.onnx`;
  const out = `${folder.path}/new/hugging face`;
  await run(convert, [goldenPath("tiny_masked"), "--out", model]);
  assertEquals(await run(exportModel, [model, "--out", out]), {
    code: 0,
    stdout: `${out}: ViTMSNForImageClassification.from_pretrained("${out}")\n`,
    stderr: "",
  });
  assertEquals(namesIn(out), FILES);
  const exported = readSafetensors(Deno.readFileSync(`${out}/model.safetensors`));
  const original = readGolden("tiny_masked/model.safetensors");
  assertEquals(exported.size, original.size);
  assert(exported.has("vit.embeddings.mask_token"));
  for (const [name, tensor] of original) {
    assertEquals(tensorBytes(exported.get(name)!), tensorBytes(tensor), name);
  }
  const json = (path: string) => JSON.parse(Deno.readTextFileSync(path));
  assertEquals(json(`${out}/config.json`), json(goldenPath("tiny_masked/config.json")));
  assertEquals(json(`${out}/preprocessor_config.json`), {
    image_processor_type: "ViTImageProcessor",
    size: { height: 30, width: 30 },
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
  });
});

Deno.test("export names the Python class of a backbone", async () => {
  using folder = new TempFolder();
  const model = folder.write("model.onnx", await goldenModel("tiny_backbone", "f16"));
  const { stdout } = await run(exportModel, [model, "--out", `${folder.path}/out`]);
  assertStringIncludes(stdout, "out: ViTMSNModel.from_pretrained(");
});

/** The bytes of a model with a head of two classes. */
async function fitted(
  method: HeadMethod,
  unknown?: HeadParameters["settings"]["unknown"],
) {
  const support = clusters({ ant: 6, bee: 6 }, { size: 32 });
  const { settings, tensors } = fitHead(support, { method }).head.parameters;
  const { unknown: _, ...known } = settings;
  const head = { settings: { ...known, ...(unknown ? { unknown } : {}) }, tensors };
  const backbone = await goldenModel("tiny_backbone", "f32");
  return {
    model: concat(writeModelWithHead(backbone, head)),
    headOnly: concat(writeHeadFile({ head, layerNorm: readModelFile(backbone).layerNorm! })),
  };
}

Deno.test("export takes a fitted head along, whose logits stay", async () => {
  using folder = new TempFolder();
  const path = (name: string) => `${folder.path}/${name}`;
  const { pixel_values } = Object.fromEntries(readGolden("tiny/expected.safetensors"));
  folder.write("in.safetensors", writeSafetensors(new Map([["pixel_values", pixel_values!]])));
  folder.write("before.onnx", (await fitted("logistic")).model);
  assertEquals((await run(exportModel, [path("before.onnx"), "--out", path("out")])).stderr, "");
  await run(convert, [path("out"), "--out", path("after.onnx")]);
  const [before, after] = await Promise.all(["before", "after"].map(async (name) => {
    const out = path(`${name}.safetensors`);
    const inputs = ["--inputs", path("in.safetensors"), "--outputs", "logits"];
    const { code, stderr } = await run(forward, [
      ...["--model", path(`${name}.onnx`), "--out", out],
      ...inputs,
    ]);
    assertEquals(code, 0, stderr);
    return readSafetensors(Deno.readFileSync(out)).get("logits")!.data as Float32Array;
  }));
  assert(maxDifference(before!, after!) < 1e-4);
});

Deno.test("export says that the rule for unknown images is left out", async () => {
  using folder = new TempFolder();
  const rule = { criterion: "probability", threshold: 0.5, falseRejectionRate: 0.05 } as const;
  const model = folder.write("model.onnx", (await fitted("ridge", rule)).model);
  const { code, stderr } = await run(exportModel, [model, "--out", `${folder.path}/out`]);
  assertEquals(code, 0);
  assertMatch(stderr, /^export: the classifier's rule for unknown images is left out: .*\n$/);
});

Deno.test("export overwrites what it made, and other files with --force only", async () => {
  using folder = new TempFolder();
  const model = folder.write("model.onnx", await goldenModel("tiny", "f32"));
  const into = (name: string, ...more: string[]) =>
    run(exportModel, [model, "--out", `${folder.path}/${name}`, ...more]);
  for (const name of FILES) {
    folder.write(`${name}.folder/${name}`, "a thesis");
    const { code, stdout, stderr } = await into(`${name}.folder`);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(
      stderr,
      `Cannot write ${folder.path}/${name}.folder/${name}: a file exists that \`deno task export\` ` +
        "did not make; choose another folder, or add --force to overwrite it\n",
    );
    assertEquals(namesIn(`${folder.path}/${name}.folder`), [name]);
    assertEquals(Deno.readTextFileSync(`${folder.path}/${name}.folder/${name}`), "a thesis");
    assertEquals((await into(`${name}.folder`, "--force")).code, 0);
  }
  folder.write("own/README.md", "# Mine");
  for (let times = 0; times < 2; times++) assertEquals((await into("own")).code, 0);
  assertEquals(Deno.readTextFileSync(`${folder.path}/own/README.md`), "# Mine");
  assertEquals(namesIn(`${folder.path}/own`), ["README.md", ...FILES]);
});

Deno.test("export fails with one line and writes nothing", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/out`;
  const model = folder.write("model.onnx", await goldenModel("tiny", "f32"));
  const fails = async (args: string[], expected: number, message: string) => {
    const { code, stdout, stderr } = await run(exportModel, args);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    assertStringIncludes(stderr, message);
    assert(!namesIn(folder.path).includes("out"));
  };
  await fails(["--out", out], 2, "expected one model, got 0");
  await fails([model], 2, "--out is missing");
  await fails([`${folder.path}/none.onnx`, "--out", out], 1, "none.onnx: no such file");
  await fails([folder.path, "--out", out], 1, "it is a folder");
  await fails(["https://example.com/a.onnx", "--out", out], 1, "URLs are not fetched");
  const text = folder.write("text.onnx", "a thesis");
  await fails([text, "--out", out], 1, "text.onnx: Cannot read the ONNX model");
  const other = goldenPath("exports/model.onnx");
  await fails([other, "--out", out], 1, "Cannot export the ONNX model: another tool made it");
  const rounded = folder.write("int8.onnx", await goldenModel("tiny", "int8"));
  await fails([rounded, "--out", out], 1, "rounded to int8; export the f32 or f16 file");
  const { model: knn, headOnly } = await fitted("knn");
  folder.write("knn.onnx", knn);
  await fails([`${folder.path}/knn.onnx`, "--out", out], 1, "--method logistic");
  folder.write("head.onnx", headOnly);
  await fails([`${folder.path}/head.onnx`, "--out", out], 1, "Cannot export a head alone");
  for (const place of [text, `${text}/below`]) {
    await fails(
      [model, "--out", place],
      1,
      `Cannot write the folder ${place}: a file is in its place`,
    );
  }
  assertEquals(Deno.readTextFileSync(text), "a thesis");
});
