import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { readSafetensors } from "../../src/checkpoint/safetensors.ts";
import { fitHead } from "../../src/heads/fit/fit_head.ts";
import { HEAD_METHODS } from "../../src/heads/fit/method.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { tensorBytes } from "../../src/tensor/tensor.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { readModelFile, writeModelFile, writeModelWithHead } from "../../src/vit_msn/model_file.ts";
import {
  checkpointFiles,
  type HuggingFaceCheckpoint,
  isExportedWeights,
  toCheckpoint,
} from "../../src/vit_msn/to_checkpoint.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";
import { maxDifference, readGolden } from "../golden/golden.ts";
import { CASES, goldenCase, goldenModel } from "../golden/model.ts";
import { clusters } from "../heads/fit/samples.ts";

/** The exported checkpoint, converted to one ONNX file again. */
function convertedAgain({ config, preprocessorConfig, tensors }: HuggingFaceCheckpoint) {
  const weights = toWeights(tensors, parseConfig(config));
  return concat(writeModelFile(config, preprocessorConfig, weights, "f32"));
}

async function logitsOf(file: Uint8Array, source: string): Promise<Float32Array> {
  await using model = await loadModel(file);
  const { pixel_values } = goldenCase(source).inputs;
  const outputs = await model.forward({ pixel_values }, { outputs: ["logits"] });
  return outputs.get("logits")!.data as Float32Array;
}

for (const source of CASES) {
  Deno.test(`${source}: the exported tensors are those that were converted`, async () => {
    const checkpoint = toCheckpoint(readModelFile(await goldenModel(source, "f32")));
    const file = concat(checkpointFiles(checkpoint).get("model.safetensors")!);
    const [exported, original] = [readSafetensors(file), readGolden(`${source}/model.safetensors`)];
    assertEquals([...exported.keys()].toSorted(), [...original.keys()].toSorted());
    for (const [name, tensor] of original) {
      const { dtype, shape } = exported.get(name)!;
      assertEquals([dtype, shape], ["float32", tensor.shape], name);
      assertEquals(tensorBytes(exported.get(name)!), tensorBytes(tensor), name);
    }
    const json = JSON.parse(Deno.readTextFileSync(`test/golden/${source}/config.json`));
    assertEquals(checkpoint.config, json);
  });
}

Deno.test("a model keeps its logits and, in f16, its rounded weights on the way out and in", async () => {
  const file = await goldenModel("tiny", "f32");
  const again = convertedAgain(toCheckpoint(readModelFile(file)));
  assert(maxDifference(await logitsOf(again, "tiny"), await logitsOf(file, "tiny")) < 1e-5);

  const half = await goldenModel("tiny", "f16");
  const checkpoint = toCheckpoint(readModelFile(half));
  for (const { dtype } of checkpoint.tensors.values()) assertEquals(dtype, "float32");
  const halfAgain = convertedAgain(checkpoint);
  assert(maxDifference(await logitsOf(halfAgain, "tiny"), await logitsOf(half, "tiny")) < 1e-5);
  assert(maxDifference(await logitsOf(half, "tiny"), await logitsOf(file, "tiny")) > 1e-6);
});

for (const method of HEAD_METHODS.filter((method) => method !== "knn")) {
  Deno.test(`a fitted head of ${method} is the classifier of the exported model`, async () => {
    for (const source of ["tiny_backbone", "tiny"]) {
      const backbone = await goldenModel(source, "f32");
      const { config } = readModelFile(backbone);
      const support = clusters({ ant: 6, "bée": 6, cow: 6 }, { size: config.hiddenSize });
      const { head } = fitHead(support, { method });
      const file = concat(writeModelWithHead(backbone, head.parameters));
      const checkpoint = toCheckpoint(readModelFile(file));
      assertEquals(checkpoint.config.id2label, { 0: "ant", 1: "bée", 2: "cow" });
      assertEquals(checkpoint.config.architectures, ["ViTMSNForImageClassification"]);
      assertEquals(checkpoint.tensors.get("classifier.weight")!.shape, [3, config.hiddenSize]);
      assert(checkpoint.tensors.has("vit.layernorm.weight"));
      const difference = maxDifference(
        await logitsOf(convertedAgain(checkpoint), source),
        await logitsOf(file, source),
      );
      assert(difference < 1e-4, `${difference}`);
    }
  });
}

Deno.test("the exported documents are kept whole, but do not contradict the weights", () => {
  const tensors = readGolden("tiny_backbone/model.safetensors");
  const json = JSON.parse(Deno.readTextFileSync("test/golden/tiny_backbone/config.json"));
  const documents = (config: object, processor: object) => {
    const weights = toWeights(tensors, parseConfig(config));
    const file = concat(writeModelFile(config, processor, weights, "f16"));
    return toCheckpoint(readModelFile(file));
  };
  const given = { ...json, architectures: ["ViTMSNForImageClassification"], note: "kept" };
  const processor = { size: 30, image_processor_type: "ViTImageProcessorFast", note: "kept" };
  const { config, preprocessorConfig } = documents({ ...given, torch_dtype: "float16" }, processor);
  assertEquals(config, { ...given, architectures: ["ViTMSNModel"], torch_dtype: "float32" });
  assertEquals(preprocessorConfig, processor);
  const old = { feature_extractor_type: "ViTFeatureExtractor" };
  assertEquals(documents({ ...given, dtype: "bfloat16" }, old).config.dtype, "float32");
  assertEquals(documents(given, old).preprocessorConfig, old);
  assertEquals(documents(given, { size: 30 }).preprocessorConfig, {
    image_processor_type: "ViTImageProcessor",
    size: 30,
  });
});

Deno.test("the weights' file says that it is PyTorch's and whose it is, and is aligned", async () => {
  const checkpoint = toCheckpoint(readModelFile(await goldenModel("tiny_backbone", "f32")));
  for (const name of ["x", "xy", "xyz", "xyz1", "xyz12", "xyz123", "xyz1234", "xyz12345"]) {
    const tensors = new Map([[name, checkpoint.tensors.get("layernorm.bias")!]]);
    const bytes = concat(checkpointFiles({ ...checkpoint, tensors }).get("model.safetensors")!);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    assertEquals(length % 8, 0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    assertEquals(header.__metadata__, { format: "pt", producer: "vit-msn-edge" });
    assertEquals(readSafetensors(bytes).get(name)!.data, tensors.get(name)!.data);
    assert(isExportedWeights(bytes));
  }
  assert(!isExportedWeights(Deno.readFileSync("test/golden/tiny/model.safetensors")));
  assert(!isExportedWeights(new Uint8Array()));
});

Deno.test("int8 weights and heads of knn are not exported", async () => {
  const rounded = readModelFile(await goldenModel("tiny", "int8"));
  assertThrows(() => toCheckpoint(rounded), TypeError, "export the f32 or f16 file");
  const backbone = await goldenModel("tiny_backbone", "f32");
  const support = clusters({ ant: 6, bee: 6 }, { size: 32 });
  const { head } = fitHead(support, { method: "knn" });
  const file = readModelFile(concat(writeModelWithHead(backbone, head.parameters)));
  assertThrows(() => toCheckpoint(file), TypeError, "--method logistic");
});
