import { assert, assertEquals } from "@std/assert";
import { loadModel } from "../../src/model/load_model.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import { measureGpuWins } from "../../src/runtime/onnxruntime/webgpu/choice.ts";
import { openDevice } from "../../src/runtime/onnxruntime/webgpu/gpu.ts";
import { measureSpeed } from "../../src/runtime/onnxruntime/webgpu/speed.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";
import { goldenModel } from "../golden/model.ts";
import { GPU_TEST } from "./adapter.ts";

Deno.test("a device is measured; one in software is not taken", GPU_TEST, async () => {
  const { adapter, device } = await openDevice();
  const speed = await measureSpeed(device);
  console.log(adapter.info.description, speed);
  assert(speed.latency > 0 && speed.perDispatch >= 0 && speed.operations > 0);
  device.destroy();
  if (!adapter.info.isFallbackAdapter) return;
  const file = await goldenModel("tiny", "f32");
  const session = await simdRuntime().createSession(readModelFile(file));
  await using model = await loadModel(file);
  assertEquals(await measureGpuWins(model.config, session), undefined);
  await session[Symbol.asyncDispose]();
});
