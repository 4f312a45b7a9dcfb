import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadModel } from "../../src/model/load_model.ts";
import type { ForwardOptions } from "../../src/model/vit_msn_model.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import type { ForwardInputs } from "../../src/vit_msn/forward_inputs.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";
import { bools, modelFile, randomTensor, shuffled } from "../runtime/odd_models.ts";

const SMALL = {
  hidden_size: 16,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  intermediate_size: 32,
  image_size: 24,
  patch_size: 4,
  num_labels: 3,
};
/** So deep that an image takes about a second; few patches are quick. */
const DEEP = { ...SMALL, num_hidden_layers: 100, image_size: 48, patch_size: 1 };

const small = modelFile(SMALL);
const deep = modelFile(DEEP);
const deepImage = { pixel_values: randomTensor(1, 1, 3, 48, 48) };
const fewPatches = {
  ...deepImage,
  kept_patches: shuffled(2, { images: 1, patches: 2304, kept: 20 }),
};

/** How soon a thread's end is an error, in milliseconds. */
const SOON = 1000;
/** The same of a thread that nobody ended, on a busy machine. */
const SILENT = 5000;

function createPoolWorker(): Worker {
  const url = new URL("../../src/runtime/simd/worker.ts", import.meta.url);
  return new Worker(url, { type: "module" });
}

/** Starts workers of a pool, and has them. */
function rememberedWorkers(): { workers: Worker[]; createWorker: () => Worker } {
  const workers: Worker[] = [];
  const createWorker = () => {
    workers.push(createPoolWorker());
    return workers.at(-1)!;
  };
  return { workers, createWorker };
}

function createMisbehavingWorker(): Worker {
  return new Worker(new URL("./misbehaving_worker.ts", import.meta.url), { type: "module" });
}

function createSilentWorker(): Worker {
  return new Worker(new URL("./silent_worker.ts", import.meta.url), { type: "module" });
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

Deno.test("Calls at the same time are answered one by one, each with its own image", async () => {
  await using alone = await loadModel(small, { runtime: simdRuntime() });
  await using model = await loadModel(small, { runtime: simdRuntime({ threads: 2 }) });
  const images = Array.from(
    { length: 20 },
    (_, i) => ({ pixel_values: randomTensor(i, 1, 3, 24, 24) }),
  );
  const answers = await Promise.all(images.map((image) => model.forward(image)));
  for (const [i, image] of images.entries()) assertEquals(answers[i], await alone.forward(image));
});

Deno.test("Sizes, patches and outputs may change from call to call", async () => {
  await using alone = await loadModel(small, { runtime: simdRuntime() });
  await using model = await loadModel(small, { runtime: simdRuntime({ threads: 2 }) });
  const image = (height: number, width: number) => ({
    pixel_values: randomTensor(height, 1, 3, height, width),
  });
  const attentions = { outputs: ["attentions", "logits"] } as const;
  const calls: [ForwardInputs, ForwardOptions?][] = [
    [image(24, 24)],
    [image(200, 120)], // more memory than there is so far
    [image(24, 24), attentions],
    [{ ...image(24, 24), kept_patches: shuffled(1, { images: 1, patches: 36, kept: 9 }) }],
    [image(160, 160), attentions], // and more
    [{ ...image(40, 8), bool_masked_pos: bools(2, 1, 20) }],
    [image(24, 24)],
  ];
  for (const [inputs, options] of calls) {
    const interpolating = { ...options, interpolatePosEncoding: true };
    const [actual, expected] = await Promise.all(
      [model, alone].map((model) => model.forward(inputs, interpolating)),
    );
    assertEquals(actual, expected);
  }
});

for (const B of [2, 3, 8, 11]) {
  Deno.test(`A batch of ${B} in three threads has the bits of one thread, image by image`, async () => {
    await using alone = await loadModel(small, { runtime: simdRuntime() });
    await using model = await loadModel(small, { runtime: simdRuntime({ threads: 3 }) });
    const pixel_values = randomTensor(B, B, 3, 24, 24);
    const calls: [ForwardInputs, ForwardOptions?][] = [
      [{ pixel_values }],
      [{ pixel_values }, { outputs: ["last_hidden_state"] }],
      [{ pixel_values, kept_patches: shuffled(1, { images: B, patches: 36, kept: 9 }) }],
      [{ pixel_values, bool_masked_pos: bools(2, B, 36) }],
      [{ pixel_values }, { outputs: ["hidden_states", "logits"] }],
      [{ pixel_values }],
    ];
    for (const [inputs, options] of calls) {
      assertEquals(await model.forward(inputs, options), await alone.forward(inputs, options));
    }
  });
}

Deno.test("A thread that is ended in the middle of a batch is an error; the next call works", async () => {
  const { workers, createWorker } = rememberedWorkers();
  await using model = await loadModel(deep, { runtime: simdRuntime({ threads: 2, createWorker }) });
  const batch = { pixel_values: randomTensor(1, 5, 3, 48, 48) };
  const failing = assertRejects(() => model.forward(batch), Error, "was ended");
  await sleep(100);
  const ended = performance.now();
  workers[1]!.terminate();
  await failing;
  assert(performance.now() - ended < SOON);
  await using alone = await loadModel(deep, { runtime: simdRuntime() });
  assertEquals(await model.forward(fewPatches), await alone.forward(fewPatches));
});

Deno.test("A thread that is ended in the middle of an image is an error; the next call works", async () => {
  const { workers, createWorker } = rememberedWorkers();
  await using model = await loadModel(deep, { runtime: simdRuntime({ threads: 2, createWorker }) });
  const expected = await model.forward(fewPatches);
  let isRunning = true;
  const failing = assertRejects(() => model.forward(deepImage), Error, "was ended")
    .finally(() => isRunning = false);
  const waiting = model.forward(fewPatches);
  await sleep(100);
  assert(isRunning);
  const ended = performance.now();
  workers.at(-1)!.terminate();
  await failing;
  const noticed = performance.now() - ended;
  console.log(`noticed after ${Math.round(noticed)} ms`);
  assert(noticed < SOON);
  assertEquals(await waiting, expected);
});

Deno.test("A thread that is ended between two calls is replaced before the next", async () => {
  const { workers, createWorker } = rememberedWorkers();
  await using model = await loadModel(small, {
    runtime: simdRuntime({ threads: 2, createWorker }),
  });
  const image = { pixel_values: randomTensor(1, 1, 3, 24, 24) };
  const expected = await model.forward(image);
  workers[0]!.terminate();
  assertEquals(await model.forward(image), expected);
  assertEquals(workers.length, 4);
});

Deno.test("A thread that says nothing any more is an error within a few looks at it", async () => {
  let made = 0;
  const createWorker = () => ++made === 2 ? createSilentWorker() : createPoolWorker();
  await using model = await loadModel(small, {
    runtime: simdRuntime({ threads: 2, createWorker }),
  });
  const image = { pixel_values: randomTensor(1, 1, 3, 24, 24) };
  const asked = performance.now();
  await assertRejects(() => model.forward(image), Error, "stand still");
  assert(performance.now() - asked < SILENT);
  await using alone = await loadModel(small, { runtime: simdRuntime() });
  assertEquals(await model.forward(image), await alone.forward(image));
});

Deno.test("A thread that throws is an error; the next call works", async () => {
  let made = 0;
  const createWorker = () => ++made === 2 ? createMisbehavingWorker() : createPoolWorker();
  await using model = await loadModel(small, {
    runtime: simdRuntime({ threads: 2, createWorker }),
  });
  const image = { pixel_values: randomTensor(1, 1, 3, 24, 24) };
  await assertRejects(
    () => model.forward(image),
    Error,
    "a thread failed: Uncaught Error: the worker",
  );
  await using alone = await loadModel(small, { runtime: simdRuntime() });
  assertEquals(await model.forward(image), await alone.forward(image));
  assertEquals(made, 4);
});

Deno.test("Threads that cannot be started are an error", async () => {
  let made = 0;
  const none = simdRuntime({
    threads: 2,
    createWorker() {
      if (made++ === 0) return createPoolWorker(); // which is ended then
      throw new Error("no worker to be had");
    },
  });
  await assertRejects(() => none.createSession(readModelFile(small)), Error, "no worker to be had");
  const broken = simdRuntime({
    threads: 2,
    createWorker: () =>
      new Worker("data:text/javascript,throw new Error('broken')", { type: "module" }),
  });
  await assertRejects(() => broken.createSession(readModelFile(small)), Error, "a thread failed");
});

Deno.test("Threads that cannot be started again are an error of that call only", async () => {
  let fails = false;
  const createWorker = () => {
    if (fails) throw new Error("no worker to be had");
    return createPoolWorker();
  };
  await using model = await loadModel(small, {
    runtime: simdRuntime({ threads: 2, createWorker }),
  });
  const large = { pixel_values: randomTensor(1, 1, 3, 200, 120) };
  fails = true;
  await assertRejects(
    () => model.forward(large, { interpolatePosEncoding: true }),
    Error,
    "no worker to be had",
  );
  fails = false;
  await using alone = await loadModel(small, { runtime: simdRuntime() });
  const image = { pixel_values: randomTensor(1, 1, 3, 24, 24) };
  assertEquals(await model.forward(image), await alone.forward(image));
});

Deno.test("Disposing of a session rejects what it does and what waits", async () => {
  const session = await simdRuntime({ threads: 2 }).createSession(readModelFile(deep));
  const inputs = new Map(Object.entries(deepImage));
  const running = assertRejects(() => session.run(inputs, ["logits"]), Error, "disposed of");
  const waiting = assertRejects(() => session.run(inputs, ["logits"]), Error, "disposed of");
  await sleep(100);
  await session[Symbol.asyncDispose]();
  await Promise.all([running, waiting]);
  await assertRejects(() => session.run(inputs, ["logits"]), Error, "disposed of");
});

Deno.test("Disposing of a session while its threads start ends them", async () => {
  const workers: Worker[] = [];
  const ended = new Set<Worker>();
  const createWorker = () => {
    const worker = createPoolWorker();
    const terminate = worker.terminate.bind(worker);
    worker.terminate = () => (ended.add(worker), terminate());
    workers.push(worker);
    return worker;
  };
  const session = await simdRuntime({ threads: 2, createWorker }).createSession(
    readModelFile(small),
  );
  const large = new Map([["pixel_values", randomTensor(1, 1, 3, 200, 120)]]);
  const running = assertRejects(() => session.run(large, ["logits"]), Error, "disposed of");
  while (workers.length < 4) await Promise.resolve();
  await session[Symbol.asyncDispose]();
  await running;
  assertEquals(ended.size, 4);
});

Deno.test("A model that is disposed of finishes its image", async () => {
  const model = await loadModel(small, { runtime: simdRuntime({ threads: 2 }) });
  const running = model.forward({ pixel_values: randomTensor(1, 1, 3, 24, 24) });
  await model[Symbol.asyncDispose]();
  assertEquals((await running).get("logits")!.shape, [1, 3]);
});
