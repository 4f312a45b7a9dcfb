// A model with packed weights computes the same bits as its ONNX file, and a damaged one is refused.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { fitHead } from "../../src/heads/fit/fit_head.ts";
import { HEAD_METHODS } from "../../src/heads/fit/method.ts";
import { loadClassifier, loadModel } from "../../src/model/load_model.ts";
import { ViTMSNForImageClassification, type ViTMSNModel } from "../../src/model/vit_msn_model.ts";
import { createPackedModel } from "../../src/model/packed_model.ts";
import { WEIGHTS_START } from "../../src/runtime/simd/arena.ts";
import { packModelFile } from "../../src/runtime/simd/pack_model_file.ts";
import {
  isPackedFile,
  PACKED_VERSION,
  PREFIX_BYTES,
  readPackedFile,
} from "../../src/runtime/simd/packed_file.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import { fieldPlace } from "../../src/runtime/simd/write_struct.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { readModelFile, writeModelWithHead } from "../../src/vit_msn/model_file.ts";
import { goldenModel } from "../golden/model.ts";
import { clusters } from "../heads/fit/samples.ts";
import { bools, modelFile, ODD, randomTensor } from "./odd_models.ts";

const SHA256 = "0123456789abcdef".repeat(4);

function pack(onnx: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(packModelFile(readModelFile(onnx), SHA256));
}

const INPUTS = {
  pixel_values: randomTensor(1, 2, 3, 12, 8),
  bool_masked_pos: bools(2, 2, 6),
};
const OUTPUTS = ["last_hidden_state", "hidden_states", "attentions", "logits"] as const;

for (const dtype of ["f32", "f16", "int8"] as const) {
  for (const build of ["relaxed", "plain"] as const) {
    Deno.test(`a packed model in ${dtype} gives the bits of its ONNX file, ${build}`, async () => {
      const onnx = modelFile(ODD, dtype);
      // Wherever the file lies in memory.
      const bytes = concat([new Uint8Array(3), pack(onnx)]).subarray(3);
      assert(isPackedFile(bytes) && !isPackedFile(onnx));
      const file = readPackedFile(bytes);
      const { config, preprocessorConfig, outputs, layerNorm } = readModelFile(onnx);
      assertEquals(file.config, config);
      assertEquals(file.preprocessorConfig, preprocessorConfig);
      assertEquals(file.outputs, outputs);
      assertEquals(file.layerNorm, layerNorm);
      assertEquals(file.sha256, SHA256);
      await using expected = await loadModel(onnx, { runtime: simdRuntime({ build }) });
      await using actual = await createPackedModel(file, { build });
      const options = { outputs: OUTPUTS, interpolatePosEncoding: true };
      assertEquals(
        await actual.forward(INPUTS, options),
        await expected.forward(INPUTS, options),
      );
    });
  }
}

const backbone = await goldenModel("tiny_backbone", "f32");
const { config: backboneConfig } = readModelFile(backbone);
const [height, width] = backboneConfig.imageSize;
const photos: Tensor<"float32"> = randomTensor(3, 4, backboneConfig.numChannels, height, width);
const support = clusters({ ant: 12, bée: 12, "cow, <b>": 12 }, { size: backboneConfig.hiddenSize });

for (const method of HEAD_METHODS) {
  Deno.test(`a packed model has its head of ${method}, with calibration and unknown rule`, async () => {
    const { head } = fitHead(support, { method, keepFeatures: method === "ridge" });
    assert(head.parameters.settings.unknown);
    const onnx = concat(writeModelWithHead(backbone, head.parameters));
    const file = readPackedFile(pack(onnx));
    assertEquals(file.head, readModelFile(onnx).head);
    await using expected = await loadClassifier(onnx, { runtime: simdRuntime() });
    await using actual = await createPackedModel(file);
    const options = { unknown: true, topK: 3 };
    assertEquals(
      await classifier(actual).classify(photos, options),
      await expected.classify(photos, options),
    );
    assertEquals(
      await actual.forward({ pixel_values: photos }),
      await expected.forward({ pixel_values: photos }),
    );
  });
}

function classifier(model: ViTMSNModel): ViTMSNForImageClassification {
  if (model instanceof ViTMSNForImageClassification) return model;
  throw new Error("it has no classifier");
}

Deno.test("a packed backbone has no classifier", async () => {
  await using model = await createPackedModel(readPackedFile(pack(backbone)));
  assert(!(model instanceof ViTMSNForImageClassification));
  assertEquals((await model.embed(photos)).shape[0], 4);
});

const whole = pack(modelFile(ODD, "int8"));
const start = PREFIX_BYTES + new DataView(whole.buffer).getUint32(12, true);

function assertRefused(bytes: Uint8Array, words: string): void {
  assertThrows(() => readPackedFile(bytes), SyntaxError, words);
}

Deno.test("a packed file that is cut or longer is refused", () => {
  for (let length = 0; length < whole.length; length += length < start ? 1 : 997) {
    assertRefused(whole.subarray(0, length), "damaged");
  }
  assertRefused(concat([whole, new Uint8Array(1)]), "damaged");
  assertRefused(modelFile(ODD), "damaged");
});

Deno.test("a packed file with another bit anywhere in its header is refused", () => {
  const used = [
    ...Array(20).keys(),
    ...Array.from({ length: start - PREFIX_BYTES }, (_, i) => i + PREFIX_BYTES),
  ];
  for (const at of used) {
    const bytes = whole.slice();
    bytes[at]! ^= 1 << at % 8;
    assertRefused(bytes, "build again");
  }
});

Deno.test("a packed file of another version says to build again", () => {
  const bytes = whole.slice();
  new DataView(bytes.buffer).setUint32(8, PACKED_VERSION + 1, true);
  assertRefused(
    bytes,
    `its version is ${PACKED_VERSION + 1}, and this code reads ${PACKED_VERSION}; build again`,
  );
});

Deno.test("a packed file whose weights point outside of them is refused", () => {
  const { blocks } = readPackedFile(whole).model;
  const placeOf = (pointer: number) => start + pointer - WEIGHTS_START;
  const query = placeOf(fieldPlace("Block", blocks, "query"));
  const view = new DataView(whole.buffer);
  const linear = view.getUint32(query, true);
  const refuses = (place: number, value: number, words: string) => {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setUint32(place, value, true);
    assertRefused(bytes, words);
  };
  const end = WEIGHTS_START + readPackedFile(whole).weights.length;
  for (const value of [0, end, end - 4, linear + 1, 0xffff_fffc]) {
    refuses(query, value, "not among its weights");
  }
  const ofLinear = (field: Parameters<typeof fieldPlace<"Linear">>[2]) =>
    placeOf(fieldPlace("Linear", linear, field));
  for (const field of ["weight", "scale", "bias"] as const) {
    refuses(ofLinear(field), end, "not among its weights");
  }
  refuses(ofLinear("dtype"), 9, "weights of the type 9");
  refuses(ofLinear("inputs"), 1_000_000, "a layer has 1000000 inputs");
  refuses(ofLinear("outputs"), 1_000_000, "not among its weights");
});

// Whoever changes what the kernels read from memory makes the version one more: a bundle must not run
// weights that were packed for other kernels.
Deno.test("the version tells how weights are packed", async () => {
  const digest = await sha256(pack(modelFile({ ...ODD, num_hidden_layers: 1 }, "int8")));
  assertEquals([PACKED_VERSION, digest], [
    2,
    "2240464bfa75a8362721207c074224283b986786655d722cf29ba3020a3b4929",
  ]);
});
