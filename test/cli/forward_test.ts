import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readSafetensors, writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { convert } from "../../src/cli/convert.ts";
import { forward } from "../../src/cli/forward.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { goldenPath, maxDifference, readGolden } from "../golden/golden.ts";
import { run, TempFolder } from "./run.ts";

const expected = readGolden("tiny/expected.safetensors");
const pixelValues = expected.get("pixel_values")!;

async function prepare(folder: TempFolder) {
  const model = `${folder.path}/tiny.onnx`;
  const { code, stderr } = await run(convert, [goldenPath("tiny"), "--out", model]);
  assertEquals(code, 0);
  assertStringIncludes(stderr, "has no preprocessor_config.json");
  const out = `${folder.path}/out.safetensors`;
  return { model, out };
}

function inputsFile(folder: TempFolder, tensors: Record<string, Tensor>): string {
  return folder.write("in.safetensors", writeSafetensors(new Map(Object.entries(tensors))));
}

Deno.test("convert and forward give PyTorch's outputs", async () => {
  using folder = new TempFolder();
  const { model, out } = await prepare(folder);
  const args = [
    "--model",
    model,
    "--inputs",
    goldenPath("tiny/expected.safetensors"),
    "--out",
    out,
  ];
  const { code, stderr } = await run(forward, args);
  assertEquals(code, 0);
  assertStringIncludes(stderr, "not model inputs: last_hidden_state, logits, loss");
  const results = readSafetensors(Deno.readFileSync(out));
  assertEquals([...results.keys()], ["last_hidden_state", "logits", "loss"]);
  for (const [name, { data }] of results) {
    const reference = expected.get(name)!.data as Float32Array;
    assert(maxDifference(data as Float32Array, reference) < 1e-4);
  }
  await run(forward, [...args, "--outputs", "logits,attentions"]);
  const chosen = readSafetensors(Deno.readFileSync(out));
  assertEquals([...chosen.keys()], ["logits", "attentions"]);
  assertEquals(chosen.get("attentions")?.shape, [2, 3, 4, 226, 226]);
});

Deno.test("forward takes --backend and --threads", async () => {
  using folder = new TempFolder();
  const { model, out } = await prepare(folder);
  const inputs = inputsFile(folder, { pixel_values: pixelValues });
  const args = ["--model", model, "--inputs", inputs, "--out", out, "--outputs", "logits"];
  for (const options of [["simd", "--threads", "2"], ["wasm"]]) {
    const { code } = await run(forward, [...args, "--backend", ...options]);
    assertEquals(code, 0);
    const logits = readSafetensors(Deno.readFileSync(out)).get("logits")!;
    const reference = expected.get("logits")!.data as Float32Array;
    assert(maxDifference(logits.data as Float32Array, reference) < 1e-4);
  }
});

Deno.test("forward fails with one line", async () => {
  using folder = new TempFolder();
  const { model, out } = await prepare(folder);
  const fails = async (args: string[], expected: number, message: string) => {
    const { code, stderr } = await run(forward, ["--model", model, "--out", out, ...args]);
    assertEquals(code, expected, stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    assertStringIncludes(stderr, message);
  };
  const good = inputsFile(folder, { pixel_values: pixelValues });
  await fails([], 2, "--inputs is missing");
  await fails(["--inputs", good, "--backend", "cpu"], 2, "--backend is cpu");
  await fails(["--inputs", good, "more"], 2, "unexpected argument more");
  await fails(["--inputs", `${folder.path}/none`], 1, "none: no such file");
  await fails(["--inputs", model], 1, "Cannot read the safetensors file");
  await fails(
    ["--inputs", good, "--outputs", "logits,probabilities"],
    2,
    "--outputs is probabilities",
  );
  await fails(["--inputs", good, "--outputs", "loss"], 1, "there is no input labels");
  const input = (tensors: Record<string, Tensor>) => ["--inputs", inputsFile(folder, tensors)];
  const zeros = (...shape: number[]): Tensor => ({
    dtype: "float32",
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b)),
  });
  await fails(input({}), 1, "tensor pixel_values is missing");
  await fails(
    input({ pixel_values: zeros(1, 3, 32, 30) }),
    1,
    "(32*30) doesn't match model (30*30)",
  );
  await fails(input({ pixel_values: zeros(1, 1, 30, 30) }), 1, "Expected 3 but got 1");
  await fails(input({ pixel_values: zeros(0, 3, 30, 30) }), 1, "[0,3,30,30]");
  await fails(input({ pixel_values: zeros(3, 30, 30) }), 1, "[3,30,30]");
  const bytes: Tensor = { dtype: "uint8", shape: [1, 3, 30, 30], data: new Uint8Array(2700) };
  await fails(input({ pixel_values: bytes }), 1, "it is uint8, not float32");
  const patches = (...kept: number[]): Tensor => ({
    dtype: "int64",
    shape: [3, kept.length / 3],
    data: BigInt64Array.from(kept, BigInt),
  });
  const with_ = (tensors: Record<string, Tensor>) =>
    input({ pixel_values: pixelValues, ...tensors });
  await fails(with_({ kept_patches: patches(0, 1, 225) }), 1, "the patch 225");
  await fails(with_({ kept_patches: zeros(3, 1) }), 1, '"kept_patches": it is float32');
  const mask: Tensor = { dtype: "bool", shape: [3, 225], data: new Uint8Array(675) };
  await fails(with_({ bool_masked_pos: mask }), 1, "the checkpoint has no mask_token");
  const short: Tensor = { dtype: "bool", shape: [3, 224], data: new Uint8Array(672) };
  await fails(with_({ bool_masked_pos: short }), 1, "bool_masked_pos is [3,224], not [3,225]");
  await fails(with_({ labels: zeros(3, 4) }), 1, "labels is float32 [3,4], not float32 [3,10]");
});
