import { ortOfBytes } from "../../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { fitHead } from "../../../src/heads/fit/fit_head.ts";
import { HEAD_METHODS } from "../../../src/heads/fit/method.ts";
import { loadClassifier, loadModel } from "../../../src/model/load_model.ts";
import { ViTMSNForImageClassification } from "../../../src/model/vit_msn_model.ts";
import { GraphBounds } from "../../../src/onnx/graph_bounds.ts";
import { readModel } from "../../../src/onnx/read_model.ts";
import { writeModel } from "../../../src/onnx/write_model.ts";
import { createWasmSession, onnxruntimeWasm } from "../../../src/runtime/onnxruntime/wasm.ts";
import { simdRuntime } from "../../../src/runtime/simd/runtime.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { readHeadFile, writeHeadFile } from "../../../src/vit_msn/head/head_file.ts";
import { readModelFile, writeModelWithHead } from "../../../src/vit_msn/model_file.ts";
import { maxDifference } from "../../golden/golden.ts";
import { goldenCase, goldenModel } from "../../golden/model.ts";
import { clusters } from "../../heads/fit/samples.ts";

const backbone = await goldenModel("tiny_backbone", "f32");
const { pixel_values } = goldenCase("tiny_backbone").inputs;
const D = readModelFile(backbone).config.hiddenSize;
const layerNorm = readModelFile(backbone).layerNorm!;
const support = clusters({ "ant": 6, "bée": 6, "cow, <b>": 6 }, { size: D });

const logitsOf = async (model: Awaited<ReturnType<typeof loadModel>>) =>
  (await model.forward({ pixel_values }, { outputs: ["logits"] })).get("logits")!.data;

for (const method of HEAD_METHODS) {
  Deno.test(`a file with a head of ${method} computes the same logits on every way`, async () => {
    const { head } = fitHead(support, { method, keepFeatures: method === "ridge" });
    const file = concat(writeModelWithHead(backbone, head.parameters));
    assertEquals(readModelFile(file).head, head.parameters);
    await using own = await loadClassifier(file, { runtime: simdRuntime() });
    const expected = await logitsOf(own) as Float32Array;
    assertEquals(own.config.id2label, ["ant", "bée", "cow, <b>"]);

    // The graph by itself, as any ONNX tool runs it.
    await using session = await onnxruntimeWasm(ortOfBytes).createSession(readModelFile(file));
    const outputs = await session.run(new Map([["pixel_values", pixel_values]]), ["logits"]);
    assert(maxDifference(outputs.get("logits")!.data as Float32Array, expected) < 1e-3);

    const alone = concat(writeHeadFile({ head: head.parameters, layerNorm }));
    assertEquals(readHeadFile(alone).head, head.parameters);
    await using composed = await loadClassifier(backbone, { head: alone });
    assertEquals(await logitsOf(composed), expected);

    await using headSession = await createWasmSession(
      ortOfBytes,
      alone,
      new GraphBounds(readModel(alone)),
    );
    const { last_hidden_state } = Object.fromEntries(
      await own.forward({ pixel_values }, { outputs: ["last_hidden_state"] }),
    ) as { last_hidden_state: Tensor };
    const given = new Map([["last_hidden_state", last_hidden_state]]);
    const ofHead = (await headSession.run(given, ["logits"])).get("logits")!;
    assert(maxDifference(ofHead.data as Float32Array, expected) < 1e-4);
  });
}

Deno.test("logits, last_hidden_state, attentions and loss of a head come together", async () => {
  const { head } = fitHead(support);
  const file = concat(writeModelWithHead(backbone, head.parameters));
  for (const runtime of [simdRuntime(), onnxruntimeWasm(ortOfBytes)]) {
    await using model = await loadClassifier(file, { runtime });
    const B = pixel_values.shape[0]!;
    const labels: Tensor = { dtype: "int64", shape: [B], data: new BigInt64Array(B) };
    const outputs = await model.forward({ pixel_values, labels });
    assertEquals([...outputs.keys()], ["last_hidden_state", "logits", "loss"]);
    assert(outputs.get("last_hidden_state")!.shape[1]! > 1);
    assertEquals(outputs.get("logits")!.shape, [B, 3]);
    const inner = await model.forward({ pixel_values }, { outputs: ["attentions", "logits"] });
    assertEquals([...inner.keys()], ["attentions", "logits"]);
  }
});

Deno.test("another head takes the place of the one before it, and of a trained classifier", async () => {
  const { head } = fitHead(support, { method: "knn" });
  const other = fitHead(clusters({ x: 4, y: 4 }, { size: D }), { method: "ridge" }).head;
  const twice = concat(
    writeModelWithHead(concat(writeModelWithHead(backbone, head.parameters)), other.parameters),
  );
  assertEquals(twice, concat(writeModelWithHead(backbone, other.parameters)));
  const trained = concat(writeModelWithHead(await goldenModel("tiny", "int8"), other.parameters));
  assert(!readModel(trained).graph.initializers.has("classifier.weight"));
  await using model = await loadClassifier(trained, { runtime: simdRuntime() });
  assertEquals(model.config.id2label, ["x", "y"]);
});

Deno.test("a head on another backbone, or something else, is refused", async () => {
  const { head } = fitHead(support);
  const alone = concat(writeHeadFile({ head: head.parameters, layerNorm }));
  const another = await goldenModel("tiny_greyscale_no_qkv_bias", "f32");
  await assertRejects(
    () => loadModel(another, { head: alone }),
    TypeError,
    "fitted on another backbone",
  );
  await assertRejects(
    () => loadModel(backbone, { head: backbone }),
    TypeError,
    "not written by `deno task fit",
  );
  await assertRejects(() => loadModel(backbone, { head: new Uint8Array(9) }), SyntaxError);
});

Deno.test("a head whose parts do not fit is refused by name", () => {
  const { head } = fitHead(support, { method: "logistic" });
  const model = readModel(concat(writeHeadFile({ head: head.parameters, layerNorm })));
  const settings = JSON.parse(model.metadataProps.get("head.json")!);
  const throws = (metadata: Record<string, string>, message: string) => {
    const metadataProps = new Map([...model.metadataProps, ...Object.entries(metadata)]);
    const file = concat(writeModel({ ...model, metadataProps }));
    assertThrows(() => readHeadFile(file), TypeError, message);
  };
  const changed = (change: object) => ({ "head.json": JSON.stringify({ ...settings, ...change }) });
  throws({ "head.json": "{" }, "not JSON");
  throws(changed({ method: "magic" }), 'method is "magic", not one of logistic');
  throws(changed({ counts: [1] }), "counts is [1], not as long as labels");
  throws(changed({ calibrated: 1 }), "calibrated is 1, not true or false");
  throws(changed({ method: "knn", k: 3 }), "it has no support");
  throws(changed({ labels: ["one"] }), 'labels is ["one"], not a list of two or more');
  throws(changed({ labels: ["a", "b"], counts: [1, 1] }), "weight is float32");
  throws(changed({ temperature: 0 }), "temperature is 0");
  throws(changed({ unknown: { criterion: "mood" } }), 'unknown.criterion is "mood"');
  throws({ "head.means": "[3,4] AAAA" }, "cannot be read");
});

Deno.test("a model without rule for unknown images says so", async () => {
  const image = { width: 1, height: 1, data: new Uint8Array(3) };
  const bytes = await Deno.readFile("functions/_shared/model.onnx");
  await using model = await loadClassifier(bytes);
  await assertRejects(() => model.classify([image], { unknown: true }), TypeError, "no head of");
  assert(model instanceof ViTMSNForImageClassification);
});
