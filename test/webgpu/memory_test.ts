import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert } from "@std/assert";
import { loadModel } from "../../src/model/load_model.ts";
import { onnxruntimeWebgpu } from "../../src/runtime/onnxruntime/webgpu/runtime.ts";
import { goldenModel } from "../golden/model.ts";
import { GPU_TEST } from "./adapter.ts";
import { oneImage } from "./one_image.ts";

// It comes before the tests that fill the device's memory: what they leave is collected at any time.
Deno.test("making and freeing a model over and over takes no more memory", GPU_TEST, async () => {
  const file = await goldenModel("tiny", "f32");
  const { pixel_values } = oneImage();
  const once = async () => {
    await using model = await loadModel(file, { runtime: onnxruntimeWebgpu(ortOfBytes) });
    await model.forward({ pixel_values }, { outputs: ["last_hidden_state"] });
  };
  // Memory goes up and down: what counts is where it comes back to.
  const least = async (times: number) => {
    let least = Infinity;
    for (let i = 0; i < times; i++) {
      await once();
      least = Math.min(least, Deno.memoryUsage().rss);
    }
    return least;
  };
  const before = await least(10);
  const grown = (await least(20) - before) / 1e6;
  console.log(`20 times more: ${grown.toFixed(1)} MB`);
  assert(grown < 100);
});
