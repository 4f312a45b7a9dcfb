import { assert, assertEquals } from "@std/assert";
import { loadModel } from "../../src/model.ts";
import { onnxruntimeWebgpu } from "../../src/runtime/onnxruntime_webgpu.ts";
import { maxDifference } from "../golden/golden.ts";
import { CASES, goldenCase, goldenModel, outputsOfCase } from "../golden/model.ts";

const TOLERANCE = 1e-3;

const hasAdapter = await navigator.gpu?.requestAdapter() != null;
if (!hasAdapter) console.log("The tests of WebGPU are skipped: this machine has no adapter.");

/** The device stays for the sessions to come. */
const options = { ignore: !hasAdapter, sanitizeResources: false, sanitizeOps: false };

for (const name of CASES) {
  Deno.test(`WebGPU gives PyTorch's outputs: ${name}`, options, async () => {
    const file = await goldenModel(name, "f32");
    await using model = await loadModel(file, { runtime: onnxruntimeWebgpu });
    const { actual, expected } = await outputsOfCase(model, name);
    for (const [output, { data }] of actual) {
      const reference = expected.get(output)!.data as Float32Array;
      const difference = maxDifference(data as Float32Array, reference);
      console.log(`${output}: largest difference ${difference.toExponential(1)}`);
      assert(difference <= TOLERANCE);
    }
  });
}

Deno.test("WebGPU takes many calls of two models at once", options, async () => {
  const runtime = onnxruntimeWebgpu;
  const files = [await goldenModel("tiny", "f32"), await goldenModel("tiny_backbone", "f32")];
  const models = await Promise.all(files.map((file) => loadModel(file, { runtime })));
  await using stack = new AsyncDisposableStack();
  models.forEach((model) => stack.use(model));
  const inputs = { pixel_values: goldenCase("tiny").inputs.pixel_values };
  const outputs = { outputs: ["last_hidden_state"] } as const;
  const expected = await Promise.all(models.map((model) => model.forward(inputs, outputs)));
  const calls = Array.from({ length: 10 }, (_, i) => models[i % 2]!.forward(inputs, outputs));
  for (const [i, results] of (await Promise.all(calls)).entries()) {
    assertEquals(results, expected[i % 2]);
  }
});
