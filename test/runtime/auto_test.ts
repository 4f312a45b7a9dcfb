import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { autoRuntime, AutoSession } from "../../src/runtime/auto.ts";
import type { NamedTensors, Session } from "../../src/runtime/runtime.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { gpuWins } from "../../src/runtime/onnxruntime/webgpu/choice.ts";
import { SimdSession } from "../../src/runtime/simd/session.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";
import { goldenModel } from "../golden/model.ts";

const inputs = (images: number): NamedTensors =>
  new Map([["pixel_values", {
    dtype: "float32",
    shape: [images, 3, 2, 2],
    data: new Float32Array(images * 12),
  }]]);

/** A session that tells by its answer which one it was. */
function sessionOf(name: number, fails = false): Session & { runs: number; isDisposed: boolean } {
  return {
    runs: 0,
    isDisposed: false,
    run() {
      this.runs++;
      if (fails) return Promise.reject(new Error("lost"));
      const data = Float32Array.of(name);
      return Promise.resolve(new Map([["logits", { dtype: "float32", shape: [1, 1], data }]]));
    },
    [Symbol.asyncDispose]() {
      this.isDisposed = true;
      return Promise.resolve();
    },
  };
}

const PROCESSOR = 1;
const GPU = 2;

async function whoRuns(session: Session, ...args: Parameters<Session["run"]>): Promise<number> {
  return Number((await session.run(...args)).get("logits")!.data[0]);
}

Deno.test("a batch goes to the graphics card where that wins, and nothing else does", async () => {
  const [processor, gpu] = [sessionOf(PROCESSOR), sessionOf(GPU)];
  let created = 0;
  const session = new AutoSession(processor, (images) => images >= 4, () => {
    created++;
    return Promise.resolve(gpu);
  });
  assertEquals(await whoRuns(session, inputs(3), ["logits"]), PROCESSOR);
  assertEquals(created, 0);
  assertEquals(await whoRuns(session, inputs(4), ["logits"]), GPU);
  assertEquals(await whoRuns(session, inputs(9), ["logits", "last_hidden_state"]), GPU);
  assertEquals(created, 1);
  assertEquals(await whoRuns(session, inputs(4), ["attentions"]), PROCESSOR);
  const masked = new Map([...inputs(4), ["bool_masked_pos", inputs(4).get("pixel_values")!]]);
  assertEquals(await whoRuns(session, masked, ["logits"]), PROCESSOR);
  await session[Symbol.asyncDispose]();
  assert(processor.isDisposed && gpu.isDisposed);
});

Deno.test("when the graphics card fails, the processor answers, from then on", async () => {
  const [processor, gpu] = [sessionOf(PROCESSOR), sessionOf(GPU, true)];
  const session = new AutoSession(processor, () => true, () => Promise.resolve(gpu));
  assertEquals(await whoRuns(session, inputs(1), ["logits"]), PROCESSOR);
  assertEquals(await whoRuns(session, inputs(1), ["logits"]), PROCESSOR);
  assertEquals(gpu.runs, 1);
  const none = new AutoSession(processor, () => true, () => Promise.reject(new Error("no device")));
  assertEquals(await whoRuns(none, inputs(1), ["logits"]), PROCESSOR);
  await none[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
});

Deno.test("the rule weighs what a batch takes on each", () => {
  const config = parseConfig({ model_type: "vit_msn" }); // vit-msn-base's shape: 35 GFLOP an image
  const processor = 800;
  const fast = gpuWins(config, { latency: 1, perDispatch: 0.01, operations: 2e9 }, processor);
  assert(fast(1) && fast(64));
  const slow = gpuWins(config, { latency: 1, perDispatch: 0.01, operations: 4e7 }, processor);
  assert(!slow(1) && !slow(64));
  const remote = gpuWins(config, { latency: 700, perDispatch: 0.01, operations: 2e9 }, processor);
  assert(!remote(1) && remote(2));
});

Deno.test("auto leaves small models alone", async () => {
  const file = await goldenModel("tiny", "f32");
  const session = await autoRuntime({ ort: ortOfBytes }).createSession(readModelFile(file));
  assert(!(session instanceof AutoSession));
  await session[Symbol.asyncDispose]();
});

Deno.test("a bug in the SIMD session surfaces: no slower engine hides it", async () => {
  const file = readModelFile(await goldenModel("tiny", "f32"));
  const { prepare } = SimdSession.prototype;
  SimdSession.prototype.prepare = () => Promise.reject(new TypeError("undefined is no function"));
  try {
    await assertRejects(
      () => autoRuntime({ ort: ortOfBytes }).createSession(file),
      TypeError,
      "undefined is no function",
    );
  } finally {
    SimdSession.prototype.prepare = prepare;
  }
});

Deno.test("a worker that cannot be started surfaces, though one thread would do", async () => {
  const file = readModelFile(await goldenModel("tiny", "f32"));
  const runtime = autoRuntime({
    ort: ortOfBytes,
    threads: 2,
    allowSingleThread: true,
    createWorker() {
      throw new TypeError("undefined is no constructor");
    },
  });
  await assertRejects(() => runtime.createSession(file), TypeError, "undefined is no constructor");
});
