import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { TrainingEngine } from "../../../src/train/engine/engine.ts";
import type { AdamWStep } from "../../../src/train/engine/optimizer.ts";
import type { Batch } from "../../../src/train/engine/batch.ts";
import type { EngineOptions } from "../../../src/train/engine/engine_options.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import type { TuneMode } from "../../../src/train/tune.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { toWeights } from "../../../src/vit_msn/weights.ts";
import { readCheckpoint } from "../../../src/hub/read_checkpoint.ts";
import { goldenPath, maxDifference, readGolden } from "../../golden/golden.ts";
import { referenceForward } from "../../vit_msn/reference_forward.ts";
import { crossEntropy, numbers, smallBatch, smallModel } from "./small_models.ts";

const ALL: EngineOptions = { tune: { kind: "all" }, batchSize: 3 };
const ADAMW: AdamWStep = {
  betas: [0.9, 0.999],
  eps: 1e-8,
  step: 1,
  clip: 1,
  emaDecay: 0.9,
  groupOf: () => ({ learningRate: 0.01, weightDecay: 0.1 }),
};

/** Starts a small engine. */
async function start(options: Partial<EngineOptions> = {}) {
  const { config, weights } = smallModel();
  const all = { ...ALL, ...options };
  const engine = await TrainingEngine.start(config, weights, all);
  return { engine, config, weights, batch: smallBatch(config, all) };
}

/** The names of weights that an engine has changed. */
function changed(weights: ReadonlyMap<string, Tensor>, engine: TrainingEngine): string[] {
  return [...engine.weights()].filter(([name, { data, shape }]) => {
    const before = weights.get(name)!;
    assertEquals(shape, before.shape);
    return !data.every((x, i) => Object.is(x, before.data[i]));
  }).map(([name]) => name);
}

const TUNES: readonly (readonly [TuneMode, learns: (name: string) => boolean])[] = [
  [{ kind: "all" }, (name) => name !== "embeddings.mask_token"],
  [
    { kind: "last", blocks: 2 },
    (name) => !/^embeddings|^encoder\.layer\.0\./.test(name),
  ],
  [{ kind: "last", blocks: 0 }, (name) => /^(layernorm|classifier)\./.test(name)],
  [
    { kind: "lora", rank: 3, alpha: 6 },
    (name) => /^classifier\.|attention\.(query|value)\.weight$/.test(name),
  ],
];

for (const [tune, learns] of TUNES) {
  for (const threads of [1, 2]) {
    Deno.test(`a step of ${JSON.stringify(tune)} on ${threads} threads changes what learns, and no bit else`, async () => {
      const { engine, weights, batch } = await start({ tune, threads });
      using _ = engine;
      for (const name of engine.parameters.names.filter((name) => name.includes(".lora_A"))) {
        engine.write("parameters", name, numbers(8, engine.parameters.get(name)!.size));
      }
      await engine.refresh();
      assertEquals(changed(weights, engine), []);
      for (let step = 1; step <= 2; step++) {
        await engine.gradients(batch, crossEntropy(3));
        await engine.step({ ...ADAMW, step });
      }
      assertEquals(changed(weights, engine), [...weights.keys()].filter(learns));
    });
  }
}

Deno.test("a step lowers the loss, and the logits are those of the new weights", async () => {
  const { engine, config, batch } = await start();
  using _ = engine;
  const before = await engine.gradients(batch, crossEntropy(3));
  await engine.step(ADAMW);
  const after = await engine.gradients(batch, crossEntropy(3));
  assert(after.loss < before.loss);
  using again = await TrainingEngine.start(config, engine.weights(), ALL);
  assertEquals((await again.forward(batch)).logits, after.logits);
});

Deno.test("logits() does not depend on threads, on the rest of the batch, or on what came before", async () => {
  const { engine, config, weights, batch } = await start({ build: "plain" });
  using _ = engine;
  const logits = (await engine.forward(batch)).logits;
  assertEquals((await engine.gradients(batch, crossEntropy(3))).logits, logits);
  const size = batch.pixelValues.length / 3;
  for (let image = 0; image < 3; image++) {
    const pixelValues = batch.pixelValues.slice(image * size, (image + 1) * size);
    const one = (await engine.forward({ images: 1, pixelValues })).logits;
    assertEquals(one, logits.slice(5 * image, 5 * image + 5));
  }
  for (const options of [{ threads: 2 }, { threads: 5 }, { offThread: true }, { batchSize: 8 }]) {
    using other = await TrainingEngine.start(config, weights, {
      ...ALL,
      build: "plain",
      ...options,
    });
    assertEquals((await other.forward(batch)).logits, logits);
  }
});

Deno.test("gradients() of a smaller batch after a larger one is that of the smaller", async () => {
  const { engine, config, weights, batch } = await start({ masks: true, threads: 2 });
  using _ = engine;
  await engine.gradients(batch, crossEntropy(3));
  const small = {
    images: 1,
    pixelValues: batch.pixelValues.slice(0, batch.pixelValues.length / 3),
  };
  const after = await engine.gradients(small, crossEntropy(1));
  using fresh = await TrainingEngine.start(config, weights, { ...ALL, masks: true, threads: 2 });
  assertEquals(after, await fresh.gradients(small, crossEntropy(1)));
  for (const name of engine.parameters.names) {
    assertEquals(engine.read("gradients", name), fresh.read("gradients", name), name);
  }
});

for (const name of ["tiny", "tiny_masked", "tiny_interpolated", "tiny_greyscale_no_qkv_bias"]) {
  Deno.test(`logits() of ${name} are PyTorch's`, async () => {
    const { config: json, tensors } = await readCheckpoint(goldenPath(name));
    const config = parseConfig(json);
    const expected = readGolden(`${name}/expected.safetensors`);
    const pixels = expected.get("pixel_values")!;
    const mask = expected.get("bool_masked_pos");
    const [images, , height, width] = pixels.shape as [number, number, number, number];
    using engine = await TrainingEngine.start(config, toWeights(tensors, config), {
      tune: { kind: "all" },
      batchSize: images,
      imageSize: [height, width],
      masks: mask !== undefined,
    });
    const { logits } = await engine.forward({
      images,
      pixelValues: pixels.data as Float32Array,
      ...(mask ? { maskedPatches: mask.data as Uint8Array } : {}),
    });
    const difference = maxDifference(logits, expected.get("logits")!.data as Float32Array);
    assert(difference < 2e-5, `${difference}`);
  });
}

Deno.test("forward() takes all patches of an engine that trains on some", async () => {
  const { config, weights } = smallModel({ hidden_act: "silu" });
  const options = { ...ALL, keptPatches: 3 };
  using engine = await TrainingEngine.start(config, weights, options);
  const { keptPatches, ...batch } = smallBatch(config, options);
  assertEquals(keptPatches?.length, 9);
  const { cls } = await engine.forward(batch);
  const size = batch.pixelValues.length / 3, D = config.hiddenSize;
  const all = Array.from({ length: engine.tokens - 1 }, (_, patch) => patch);
  for (let image = 0; image < 3; image++) {
    const pixels = batch.pixelValues.slice(image * size, (image + 1) * size);
    const expected = referenceForward(config, weights, pixels, all).slice(0, D);
    assert(maxDifference(cls.slice(image * D, (image + 1) * D), expected) < 1e-5);
  }
});

Deno.test("inputsOf() a block, given back, have the gradients of the pixels", async () => {
  const tune = { kind: "last", blocks: 2 } as const;
  const { engine, config, weights, batch } = await start({ tune, build: "plain" });
  using _ = engine;
  const expected = await engine.gradients(batch, crossEntropy(3));
  const inputs = await engine.inputsOf(batch);
  assertEquals(inputs.length, 3 * engine.tokens * config.hiddenSize);
  using cached = await TrainingEngine.start(config, weights, {
    ...ALL,
    tune,
    build: "plain",
    fromInputs: true,
  });
  assertEquals(await cached.gradients({ images: 3, inputs }, crossEntropy(3)), expected);
  for (const name of engine.parameters.names) {
    assertEquals(cached.read("gradients", name), engine.read("gradients", name), name);
  }
});

Deno.test("swapAverage() exchanges parameters and average; twice restores the bits", async () => {
  const { engine, batch } = await start({ keepsAverage: true });
  using _ = engine;
  const { names } = engine.parameters;
  for (const name of names) {
    engine.write("average", name, engine.read("parameters", name).data);
  }
  for (let step = 1; step <= 3; step++) {
    await engine.gradients(batch, crossEntropy(3));
    await engine.step({ ...ADAMW, step });
  }
  const all = () =>
    names.map((name) => [engine.read("parameters", name), engine.read("average", name)]);
  const before = all(), logits = (await engine.forward(batch)).logits;
  await engine.swapAverage();
  assertEquals(all(), before.map(([parameters, average]) => [average!, parameters!]));
  assertNotEquals((await engine.forward(batch)).logits, logits);
  await engine.swapAverage();
  assertEquals(all(), before);
  assertEquals((await engine.forward(batch)).logits, logits);
});

Deno.test("an engine that keeps no average has none to read, write or exchange", async () => {
  const { engine } = await start();
  using _ = engine;
  const message = "Cannot find the average: the engine keeps none";
  const name = "classifier.bias";
  assertThrows(() => engine.read("average", name), RangeError, message);
  assertThrows(() => engine.write("average", name, new Float32Array(5)), RangeError, message);
  await assertRejects(() => engine.swapAverage(), RangeError, message);
});

Deno.test("a batch that is empty or too large is an error", async () => {
  const { engine, config } = await start();
  using _ = engine;
  for (const images of [0, 4]) {
    const batch = smallBatch(config, { ...ALL, batchSize: images });
    const message = `Cannot train on a batch of ${images} images: it takes 1 to 3`;
    await assertRejects(() => engine.forward(batch), RangeError, message);
    await assertRejects(() => engine.gradients(batch, crossEntropy(images)), RangeError, message);
  }
});

Deno.test("a name that does not learn, and numbers that are not as many, are errors", async () => {
  const { engine } = await start({ tune: { kind: "last", blocks: 1 } });
  using _ = engine;
  const name = "encoder.layer.0.layernorm_before.bias";
  const message = `Cannot find ${name} among the parameters that learn`;
  assertThrows(() => engine.read("parameters", name), RangeError, message);
  assertThrows(() => engine.write("parameters", name, new Float32Array(20)), RangeError, message);
  assertThrows(
    () => engine.write("exp_avg", "classifier.bias", new Float32Array(4)),
    RangeError,
    "Cannot restore classifier.bias: it has 4 numbers, not 5",
  );
});

Deno.test("memoryBytes grows with the batch and the threads; more than there is, is an error", async () => {
  const bytes: number[] = [];
  for (const options of [{}, { batchSize: 500 }, { batchSize: 500, threads: 3 }]) {
    const { engine } = await start(options);
    using _ = engine;
    bytes.push(engine.memoryBytes);
  }
  assert(bytes.every((size) => size % 65_536 === 0));
  assert(bytes[0]! < bytes[1]! && bytes[1]! < bytes[2]!, `${bytes}`);
  await assertRejects(
    () => start({ batchSize: 100_000_000 }),
    RangeError,
    "Cannot train: the model and its activations take more memory than there is",
  );
});

Deno.test("an engine that is disposed of refuses to compute", async () => {
  const { engine, batch } = await start({ threads: 2 });
  engine[Symbol.dispose]();
  const message = "Cannot train: the trainer is disposed of";
  await assertRejects(() => engine.forward(batch), Error, message);
});

Deno.test("arrays of other lengths than the batch's are errors: nothing else is overwritten", async () => {
  const { engine, batch } = await start();
  using _ = engine;
  const wrong: [Partial<Batch>, string][] = [
    [{ pixelValues: batch.pixelValues.slice(1) }, "pixelValues has 863 numbers, not 864"],
    [{ inputs: new Float32Array(3 * 9 * 20) }, "inputs has 540 numbers, not 0"],
    [{ keptPatches: new Int32Array(2) }, "keptPatches has 2 numbers, not 24"],
    [{ keptPatches: new Int32Array(24).fill(8) }, "not from 0 to 7"],
    [{ maskedPatches: new Uint8Array(24) }, "maskedPatches has 24 numbers, not 0"],
    [{ branchScale: new Float32Array(1) }, "branchScale has 1 numbers, not 18"],
  ];
  for (const [change, message] of wrong) {
    const changed = { ...batch, ...change };
    await assertRejects(() => engine.gradients(changed, crossEntropy(3)), RangeError, message);
  }
  await assertRejects(
    () => engine.gradients(batch, crossEntropy(2)),
    RangeError,
    "targets has 10 numbers, not 15",
  );
});
