import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { readSafetensors, writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { backward } from "../../src/cli/backward.ts";
import { fitHead } from "../../src/heads/fit/fit_head.ts";
import { elementCount, type Tensor } from "../../src/tensor/tensor.ts";
import type { WeightDataType } from "../../src/vit_msn/quantize.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { writeModelFile, writeModelWithHead } from "../../src/vit_msn/model_file.ts";
import { goldenPath, maxDifference, readGolden } from "../golden/golden.ts";
import { clusters } from "../heads/fit/samples.ts";
import { randomWeights, TINY_CONFIG } from "../vit_msn/random_weights.ts";
import { run, TempFolder } from "./run.ts";

const CONFIG = { ...TINY_CONFIG, id2label: { 0: "ant", 1: "bee", 2: "cat" } };
const PREPROCESSOR_CONFIG = {
  size: { height: 4, width: 4 },
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
};
const WEIGHTS = randomWeights(parseConfig(CONFIG));
const SETTINGS = { problem: "single_label", lr: [0.01, 0.02] };

/** Numbers that differ, between -1 and 1. */
function waves(...shape: number[]): Tensor<"float32"> {
  const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i));
  return { dtype: "float32", shape, data };
}

const labelled = (...labels: number[]): Tensor => ({
  dtype: "int64",
  shape: [labels.length],
  data: BigInt64Array.from(labels, BigInt),
});

const INPUTS: Record<string, Tensor> = { pixel_values: waves(2, 3, 4, 4), labels: labelled(2, 0) };

/** A folder with a tiny model, and the command with other files than these where they are given. */
function setting(folder: TempFolder) {
  const out = `${folder.path}/out.safetensors`;
  const model = `${folder.path}/model`;
  folder.write("model/config.json", JSON.stringify(CONFIG));
  folder.write("model/model.safetensors", checkpointOf(WEIGHTS));
  const inputsFile = (tensors: Record<string, Tensor>) =>
    folder.write("in.safetensors", writeSafetensors(new Map(Object.entries(tensors))));
  const settingsFile = (json: unknown) => folder.write("train.json", JSON.stringify(json));
  const call = (given: { [option: string]: string }, ...more: string[]) => {
    const options: { [option: string]: string } = {
      model,
      out,
      inputs: given.inputs ?? inputsFile(INPUTS),
      settings: given.settings ?? settingsFile(SETTINGS),
      ...given,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    return run(backward, [...args, ...more]);
  };
  const results = async (given: { [option: string]: string }, ...more: string[]) => {
    const { code, stdout, stderr } = await call(given, ...more);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    return readSafetensors(Deno.readFileSync(out));
  };
  return { out, inputsFile, settingsFile, call, results };
}

/** A model.safetensors with Hugging Face's names. */
function checkpointOf(weights: ReadonlyMap<string, Tensor>): Uint8Array {
  const names = [...weights].map(([name, tensor]) =>
    [name.startsWith("classifier.") ? name : `vit.${name}`, tensor] as const
  );
  return writeSafetensors(new Map(names));
}

const numbers = (results: ReadonlyMap<string, Tensor>, name: string) =>
  results.get(name)!.data as Float32Array;

Deno.test("backward writes losses, logits, gradients and parameters that learn from them", async () => {
  using folder = new TempFolder();
  const results = await setting(folder).results({});
  assertEquals(results.get("loss")!.shape, [2]);
  assertEquals(results.get("grad_norm")!.shape, [2]);
  assertEquals(results.get("logits")!.shape, [2, 3]);
  const kinds = ["grad", "step1", "step2"];
  for (const name of WEIGHTS.keys()) {
    const outside = name.startsWith("classifier.") ? name : `vit.${name}`;
    if (name === "embeddings.mask_token") continue;
    for (const kind of kinds) {
      assertEquals(results.get(`${kind}.${outside}`)?.shape, WEIGHTS.get(name)!.shape, outside);
    }
  }
  // The loss and its gradient by the classifier's bias, from the logits.
  const logits = numbers(results, "logits");
  const gradient = [0, 0, 0];
  let loss = 0;
  for (const [row, label] of [2, 0].entries()) {
    const exps = [0, 1, 2].map((k) => Math.exp(logits[3 * row + k]!));
    const sum = exps.reduce((a, b) => a + b);
    loss -= Math.log(exps[label]! / sum) / 2;
    exps.forEach((x, k) => gradient[k]! += (x / sum - (k === label ? 1 : 0)) / 2);
  }
  assertAlmostEquals(numbers(results, "loss")[0]!, loss, 1e-6);
  gradient.forEach((g, k) =>
    assertAlmostEquals(numbers(results, "grad.classifier.bias")[k]!, g, 1e-6)
  );
  // AdamW's first step is a learning rate down the gradient.
  const before = WEIGHTS.get("classifier.bias")!.data as Float32Array;
  const after = numbers(results, "step1.classifier.bias");
  gradient.forEach((g, k) => assertAlmostEquals(after[k]!, before[k]! - 0.01 * Math.sign(g), 1e-5));
  assert(numbers(results, "loss")[1]! < loss);
});

Deno.test("backward computes what PyTorch does, and takes its results as inputs", async () => {
  using folder = new TempFolder();
  const golden = (file: string) => goldenPath(`train/finetune/lora/${file}`);
  const inputs = golden("expected.safetensors");
  const settings = golden("train.json");
  const results = await setting(folder).results(
    { model: golden(""), inputs, settings },
    ...["--threads", "2"],
  );
  const expected = readGolden("train/finetune/lora/expected.safetensors");
  for (const [name, { data }] of expected) {
    if (/^(pixel_values|labels|init\.)/.test(name)) continue;
    assert(results.has(name), name);
    if (/^(logits|loss|grad_norm)$/.test(name)) {
      assert(maxDifference(numbers(results, name), data as Float32Array) < 1e-4, name);
    }
  }
});

Deno.test("backward takes weights files and ONNX files", async () => {
  using folder = new TempFolder();
  const { results } = setting(folder);
  const onFolder = await results({});
  const onFile = await results({ model: `${folder.path}/model/model.safetensors` });
  assertEquals(onFile, onFolder);
  const onnx = (dtype: WeightDataType) =>
    concat(writeModelFile(CONFIG, PREPROCESSOR_CONFIG, WEIGHTS, dtype));
  assertEquals(await results({ model: folder.write("f32.onnx", onnx("f32")) }), onFolder);
  const half = await results({ model: folder.write("f16.onnx", onnx("f16")) });
  const difference = maxDifference(numbers(half, "logits"), numbers(onFolder, "logits"));
  assert(difference > 0 && difference < 1e-2, `${difference}`);
});

Deno.test("backward trains a fitted head as the classifier", async () => {
  using folder = new TempFolder();
  const { results } = setting(folder);
  const backbone = new Map([...WEIGHTS].filter(([name]) => !name.startsWith("classifier.")));
  const support = clusters({ ant: 6, bee: 6, cat: 6 }, { size: 8 });
  const { parameters } = fitHead(support, { method: "logistic" }).head;
  const file = concat(writeModelFile(TINY_CONFIG, PREPROCESSOR_CONFIG, backbone, "f32"));
  const model = folder.write("fitted.onnx", concat(writeModelWithHead(file, parameters)));
  const trained = await results({ model });
  assertEquals(trained.get("grad.classifier.weight")!.shape, [3, 8]);
});

Deno.test("backward names tensors that it ignores", async () => {
  using folder = new TempFolder();
  const { call, inputsFile } = setting(folder);
  const { code, stderr } = await call({ inputs: inputsFile({ ...INPUTS, pixels: waves(1) }) });
  assertEquals([code, stderr], [
    0,
    "backward: ignored tensors, which are no inputs: pixels\n",
  ]);
});

Deno.test("backward fails with one line and writes nothing", async () => {
  using folder = new TempFolder();
  const { out, call, inputsFile, settingsFile } = setting(folder);
  const fails = async (given: { [option: string]: string }, code: number, message: string) => {
    const result = await call(given);
    assertEquals([result.code, result.stdout], [code, ""], result.stderr);
    assertEquals(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
    assertStringIncludes(result.stderr, message);
    assertEquals(await Deno.stat(out).catch(() => undefined), undefined);
  };
  const unnamed = await run(backward, ["--inputs", "a", "--settings", "b", "--out", out]);
  assertEquals(unnamed.code, 2);
  assertStringIncludes(unnamed.stderr, "--model is missing");
  await fails({ threads: "0" }, 2, "--threads is 0, not an integer from 1 to 64");

  const none = `${folder.path}/none`;
  await fails({ model: none }, 1, `Cannot read ${none}: no such folder or file`);
  await fails({ model: `${none}.onnx` }, 1, "none.onnx: no such file");
  await fails({ inputs: none }, 1, `${none}: no such file`);
  await fails({ settings: none }, 1, `${none}: no such file`);
  await fails({ inputs: folder.path }, 1, "it is a folder");

  const text = folder.write("text", "a thesis");
  await fails({ settings: text }, 1, `${text}: Cannot read the settings: the file is not JSON`);
  await fails({ inputs: text }, 1, `${text}: Cannot read the safetensors file`);
  const withSettings = (json: unknown) => ({ settings: settingsFile(json) });
  await fails(withSettings({ ...SETTINGS, lr: [] }), 1, "lr");
  await fails(withSettings({ ...SETTINGS, problem: "clustering" }), 1, "problem");
  await fails(withSettings({ lr: [1] }), 1, "problem");
  await fails(withSettings({ ...SETTINGS, frozen_blocks: 2 }), 1, "the model has 1");

  const withInputs = (tensors: Record<string, Tensor>) => ({
    inputs: inputsFile({ ...INPUTS, ...tensors }),
  });
  const { pixel_values, labels } = INPUTS as { pixel_values: Tensor; labels: Tensor };
  await fails({ inputs: inputsFile({ labels }) }, 1, "tensor pixel_values is missing");
  await fails({ inputs: inputsFile({ pixel_values }) }, 1, "tensor labels is missing");
  await fails(withInputs({ pixel_values: waves(2, 48) }), 1, "pixel_values is [2,48]");
  await fails(withInputs({ pixel_values: waves(2, 1, 4, 4) }), 1, "Expected 3 but got 1");
  await fails(withInputs({ labels: labelled(0) }), 1, "labels is [1], not [2]");
  await fails(withInputs({ labels: labelled(0, 3) }), 1, "label 3 is none of the 3 classes");
  const hole = waves(2, 3, 4, 4);
  hole.data[7] = NaN;
  await fails(withInputs({ pixel_values: hole }), 1, "pixel_values has NaN");
  await fails(
    withSettings({ ...SETTINGS, lora: { rank: 2, alpha: 4 } }),
    1,
    "init.vit.encoder.layer.0.attention.attention.query.lora_A.weight is missing",
  );

  const backbone = new Map([...WEIGHTS].filter(([name]) => !name.startsWith("classifier.")));
  folder.write("backbone/config.json", JSON.stringify(CONFIG));
  folder.write("backbone/model.safetensors", writeSafetensors(backbone));
  await fails({ model: `${folder.path}/backbone` }, 1, "the model has no classifier");
  folder.write("wrong/config.json", JSON.stringify({ ...CONFIG, hidden_size: 12 }));
  folder.write("wrong/model.safetensors", checkpointOf(WEIGHTS));
  await fails({ model: `${folder.path}/wrong` }, 1, "should be [");
  const int8 = concat(writeModelFile(CONFIG, PREPROCESSOR_CONFIG, WEIGHTS, "int8"));
  const rounded = folder.write("int8.onnx", int8);
  await fails({ model: rounded }, 1, "rounded to int8; take the f32 or f16 file");
  await fails({ model: goldenPath("exports/model.onnx") }, 1, "exports/model.onnx: Cannot use");
});
