import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { fitHead } from "../../../src/heads/fit/fit_head.ts";
import type { RawImage } from "../../../src/image/raw_image.ts";
import { attentionMap } from "../../../src/model/attention/attention_map.ts";
import { computeAttentions } from "../../../src/model/attention/compute_attentions.ts";
import { tensorAttentions } from "../../../src/model/attention/tensor_attentions.ts";
import { loadClassifier, loadModel } from "../../../src/model/load_model.ts";
import type { ViTMSNForImageClassification } from "../../../src/model/vit_msn_model.ts";
import { onnxruntimeWasm } from "../../../src/runtime/onnxruntime/wasm.ts";
import { ortOfBytes } from "../../../src/runtime/onnxruntime/ort_of_bytes.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { choosePatches } from "../../../src/vit_msn/patch_dropping.ts";
import { writeModelWithHead } from "../../../src/vit_msn/model_file.ts";
import { maxDifference } from "../../golden/golden.ts";
import { goldenCase, goldenModel } from "../../golden/model.ts";
import { clusters } from "../../heads/fit/samples.ts";
import { rolloutReference } from "./rollout_reference.ts";

const SHIP = await Deno.readFile("test/images/ship.jpg");
const embedded = await Deno.readFile("functions/_shared/model.onnx");

/** The first image of a batch. */
function first({ shape: [, ...shape], data }: Tensor): Tensor<"float32"> {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    dtype: "float32",
    shape: [1, ...shape],
    data: (data as Float32Array).slice(0, size),
  };
}

for (const source of ["tiny", "tiny_backbone", "tiny_greyscale_no_qkv_bias"]) {
  Deno.test(`attentionMap() has PyTorch's attention of CLS: ${source}`, async () => {
    const { inputs, expected } = goldenCase(source);
    const file = await goldenModel(source, "f32");
    const golden = expected.get("attentions_first_rows")!; // [L, 1, heads, 4, T]
    const [L, , heads, rows, T] = golden.shape as [number, number, number, number, number];
    for (const runtime of [undefined, onnxruntimeWasm(ortOfBytes)]) {
      await using model = await loadModel(file, runtime ? { runtime } : {});
      const attentions = await tensorAttentions(model, first(inputs.pixel_values));
      assertEquals([attentions.blocks, attentions.heads], [L, heads]);
      assertEquals(attentions.rows * attentions.columns, T - 1);
      assertEquals(attentions.labels !== undefined, source !== "tiny_backbone");
      for (let layer = 0; layer < L; layer++) {
        const mean = new Float64Array(T - 1);
        for (let head = 0; head < heads; head++) {
          const start = (layer * heads + head) * rows * T;
          const ofHead = golden.data.subarray(start + 1, start + T) as Float32Array;
          const { weights } = attentionMap(attentions, { layer: layer - L, head });
          assert(maxDifference(weights, ofHead) < 1e-5);
          ofHead.forEach((weight, i) => mean[i]! += weight / heads);
        }
        const map = attentionMap(attentions, { layer });
        assertEquals([map.layer, map.head, map.rollout], [layer, "mean", false]);
        assert(maxDifference(map.weights, mean) < 1e-5);
      }
    }
  });
}

Deno.test("a rollout is the product of the blocks", async () => {
  await using model = await loadModel(embedded);
  const pixel_values = model.processor.preprocess([noise(40, 40)]);
  const outputs = await model.forward({ pixel_values }, { outputs: ["attentions"] });
  const { shape: [L, , heads, T], data } = outputs.get("attentions") as Tensor<"float32">;
  const attentions = await tensorAttentions(model, pixel_values);
  for (let layer = 0; layer < L!; layer++) {
    const reference = rolloutReference(data, layer + 1, heads!, T!);
    const { weights, head, rollout } = attentionMap(attentions, { layer, rollout: true });
    assertEquals([head, rollout], ["mean", true]);
    assert(maxDifference(weights, reference[0]!.slice(1)) < 1e-6);
    // What arrives in CLS is whole.
    assert(Math.abs(reference[0]!.reduce((a, b) => a + b, 0) - 1) < 1e-6);
  }
});

Deno.test("dropped patches have no weight, and the labels are those of the rest", async () => {
  await using model = await loadModel(embedded) as ViTMSNForImageClassification;
  const keep = { keepPatches: 0.5, seed: 3 };
  const attentions = await computeAttentions(model, SHIP, keep);
  const patches = choosePatches(64, keep);
  assertEquals([...attentions.patches], patches);
  const map = attentionMap(attentions, { rollout: true, threshold: 1 });
  map.weights.forEach((weight, i) => assertEquals(Number.isNaN(weight), !patches.includes(i)));
  assertEquals(map.mask?.reduce((a, b) => a + b, 0), patches.length);
  const labels = await model.classify(SHIP, keep);
  assertEquals(attentions.labels!.map(({ label }) => label), labels.map(({ label }) => label));
  const scores = (list: typeof labels) => list.map(({ score }) => score);
  assert(maxDifference(scores([...attentions.labels!]), scores(labels)) < 1e-6);
});

Deno.test("the labels are those of a fitted head", async () => {
  await using backbone = await loadModel(embedded);
  const size = backbone.config.hiddenSize;
  const { head } = fitHead(clusters({ ant: 6, bee: 6 }, { size }), { method: "ridge" });
  const file = concat(writeModelWithHead(embedded, head.parameters));
  await using model = await loadClassifier(file);
  const labels = await model.classify(SHIP);
  const attentions = await computeAttentions(model, SHIP);
  assertEquals(attentions.labels!.map(({ label }) => label), labels.map(({ label }) => label));
  const scores = (list: typeof labels) => list.map(({ score }) => score);
  assert(maxDifference(scores([...attentions.labels!]), scores(labels)) < 1e-6);
});

Deno.test("a threshold keeps the fewest patches that have the mass", async () => {
  await using model = await loadModel(embedded);
  const attentions = await computeAttentions(model, SHIP);
  for (const threshold of [0.1, 0.6, 0.95]) {
    const { weights, mask } = attentionMap(attentions, { threshold, head: 2 });
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    const kept = [...weights].filter((_, i) => mask![i] === 1);
    const total = sum([...weights]);
    assert(sum(kept) >= threshold * total - 1e-6);
    assert(sum(kept) - Math.min(...kept) < threshold * total); // one less has not enough
    assert(Math.min(...kept) >= Math.max(...[...weights].filter((_, i) => mask![i] === 0)));
  }
});

Deno.test("computeAttentions() says which part of the photo it covers", async () => {
  await using model = await loadModel(embedded);
  assertEquals((await computeAttentions(model, noise(50, 20))).box, {
    left: 0,
    top: 0,
    width: 1,
    height: 1,
  });
});

Deno.test("what cannot be shown is refused", async () => {
  await using model = await loadModel(embedded);
  const attentions = await computeAttentions(model, SHIP);
  const fails = (choice: Parameters<typeof attentionMap>[1], message: string) =>
    assertThrows(() => attentionMap(attentions, choice), Error, message);
  fails({ layer: 6 }, "Cannot show the attention of block 6: the model has the blocks 0 to 5");
  fails({ layer: -7 }, "block -7");
  fails({ layer: 0.5 }, "block 0.5");
  fails({ head: 3 }, "Cannot show the attention of head 3: a block has the heads 0 to 2");
  fails({ head: -1 }, "head -1");
  fails({ rollout: true, head: 0 }, "Cannot roll out head 0");
  fails({ threshold: 0 }, "Cannot keep a share of 0 of the attention");
  fails({ threshold: NaN }, "Cannot keep a share of NaN");
  const two = model.processor.preprocess([noise(8, 8), noise(8, 8)]);
  await assertRejects(() => tensorAttentions(model, two), RangeError, "there are 2 images");
});

function noise(width: number, height: number): RawImage {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 7919 >> 3) & 255);
  return { width, height, data };
}
