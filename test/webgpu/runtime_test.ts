import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadModel } from "../../src/model/load_model.ts";
import { webgpuAdapter } from "../../src/runtime/onnxruntime/webgpu/adapter.ts";
import { onnxruntimeWebgpu, sharedGpu } from "../../src/runtime/onnxruntime/webgpu/runtime.ts";
import { maxDifference } from "../golden/golden.ts";
import { CASES, goldenModel, outputsOfCase } from "../golden/model.ts";
import { GPU_TEST } from "./adapter.ts";
import { oneImage } from "./one_image.ts";

const TOLERANCE = 1e-3;

for (const name of CASES) {
  Deno.test(`WebGPU gives PyTorch's outputs: ${name}`, GPU_TEST, async () => {
    const file = await goldenModel(name, "f32");
    await using model = await loadModel(file, { runtime: onnxruntimeWebgpu(ortOfBytes) });
    const { actual, expected } = await outputsOfCase(model, name);
    for (const [output, { data }] of actual) {
      const reference = expected.get(output)!.data as Float32Array;
      const difference = maxDifference(data as Float32Array, reference);
      console.log(`${output}: largest difference ${difference.toExponential(1)}`);
      assert(difference <= TOLERANCE);
    }
  });
}

Deno.test("WebGPU takes many calls of two models at once", GPU_TEST, async () => {
  const runtime = onnxruntimeWebgpu(ortOfBytes);
  const files = [await goldenModel("tiny", "f32"), await goldenModel("tiny_backbone", "f32")];
  const models = await Promise.all(files.map((file) => loadModel(file, { runtime })));
  await using stack = new AsyncDisposableStack();
  models.forEach((model) => stack.use(model));
  const inputs = oneImage();
  const outputs = { outputs: ["last_hidden_state"] } as const;
  const expected = await Promise.all(models.map((model) => model.forward(inputs, outputs)));
  const calls = Array.from({ length: 50 }, (_, i) => models[i % 2]!.forward(inputs, outputs));
  for (const [i, results] of (await Promise.all(calls)).entries()) {
    assertEquals(results, expected[i % 2]);
  }
});

Deno.test("webgpuAdapter() says what the adapter is", GPU_TEST, async () => {
  const adapter = await webgpuAdapter();
  console.log(adapter);
  assert(adapter!.description.length > 0);
  assert(adapter!.maxBufferBytes >= 2 ** 27);
});

Deno.test(
  "a device that is lost is an error, or is replaced at once; the next call works",
  GPU_TEST,
  async () => {
    const runtime = onnxruntimeWebgpu(ortOfBytes);
    await using model = await loadModel(await goldenModel("tiny", "f32"), { runtime });
    await using other = await loadModel(await goldenModel("tiny_backbone", "f32"), { runtime });
    const inputs = oneImage();
    const outputs = { outputs: ["last_hidden_state"] } as const;
    const expected = [await model.forward(inputs, outputs), await other.forward(inputs, outputs)];
    const lost = await sharedGpu(ortOfBytes);
    lost.device.destroy();
    await assertRejects(() => model.forward(inputs, outputs), Error, "on WebGPU");
    assertEquals(await model.forward(inputs, outputs), expected[0]);
    assertEquals(await other.forward(inputs, outputs), expected[1]);
    assert(await sharedGpu(ortOfBytes) !== lost);
  },
);

Deno.test(
  "a batch for which the device has no memory is an error; the next call works",
  GPU_TEST,
  async () => {
    await using model = await loadModel(await goldenModel("tiny", "f32"), {
      runtime: onnxruntimeWebgpu(ortOfBytes),
    });
    const { pixel_values } = oneImage();
    const outputs = { outputs: ["last_hidden_state"] } as const;
    const expected = await model.forward({ pixel_values }, outputs);
    const [, C, H, W] = pixel_values.shape as [number, number, number, number];
    const B = Math.ceil((await webgpuAdapter())!.maxBufferBytes / (4 * C * H * W)) + 1;
    if (4 * B * C * H * W < 2 ** 31) {
      const data = new Float32Array(B * C * H * W);
      const huge = { dtype: "float32", shape: [B, C, H, W], data } as const;
      await assertRejects(() => model.forward({ pixel_values: huge }, outputs), Error, "on WebGPU");
    }
    assertEquals(await model.forward({ pixel_values }, outputs), expected);
  },
);
