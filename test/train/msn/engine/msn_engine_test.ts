import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import type { SimdBuild } from "../../../../src/runtime/simd/kernels.ts";
import type { AdamWStep } from "../../../../src/train/engine/optimizer.ts";
import { TrainingEngine } from "../../../../src/train/engine/engine.ts";
import type { MsnBatch, MsnObjective } from "../../../../src/train/msn/engine/msn_batch.ts";
import { MsnEngine } from "../../../../src/train/msn/engine/msn_engine.ts";
import type { MsnEngineOptions } from "../../../../src/train/msn/engine/msn_engine_options.ts";
import { PROTOTYPES } from "../../../../src/train/msn/engine/msn_network.ts";
import { MASK_TOKEN } from "../../../../src/vit_msn/weights.ts";
import { maxDifference } from "../../../golden/golden.ts";
import { msnLossReference } from "../../../wasm/train/msn_loss_reference.ts";
import { numbers } from "../../engine/small_models.ts";
import {
  HIDDEN,
  K,
  OBJECTIVE,
  OPTIONS,
  OUTPUT,
  smallNetworks,
  smallViews,
} from "./small_network.ts";

const BUILDS: readonly SimdBuild[] = ["relaxed", "plain"];
/** Of the slope along a direction of which half is the gradient's own. */
const TOLERANCE = 1e-2;
/** The length of a step to both sides. */
const STEP = 3e-3;
/** Gradients below are noise: some biases have none. */
const NOISE = 2e-5;
const B = OPTIONS.batchSize;
const ADAMW: AdamWStep = {
  betas: [0.9, 0.999],
  eps: 1e-8,
  step: 1,
  clip: 1,
  emaDecay: 0.75,
  groupOf: () => ({ learningRate: 0.01, weightDecay: 0.1 }),
};

/** A way of pre-training. */
interface Case {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly options?: Partial<MsnEngineOptions>;
  readonly batch?: Partial<MsnBatch>;
  readonly objective?: Partial<MsnObjective>;
}

const CASES: Readonly<Record<string, Case>> = {
  "views of two sizes": {},
  "the cross-entropy alone": {
    objective: { sinkhornIterations: 0, labelSmoothing: 0, meMaxWeight: 0, entropyWeight: 0 },
  },
  "several random views on two threads": { options: { randomViews: 3, focalViews: 1, threads: 2 } },
  "no focal views": { options: { randomViews: 2, focalViews: 0 } },
  "random and focal views of one size": { options: { focalSize: [8, 12] } },
  "views of one size, which is not the config's, on three threads": {
    options: { randomSize: [12, 9], focalSize: [12, 9], keptPatches: 9, threads: 3 },
  },
  "views of two sizes, neither of which is the config's": {
    options: { randomSize: [12, 9], focalSize: [4, 9], keptPatches: 9 },
  },
  "dropped patches": {
    options: { keptPatches: 3, randomViews: 2 },
    batch: { keptPatches: Int32Array.from({ length: 2 * B * 3 }, (_, i) => (5 * i + 1) % 8) },
  },
  "dropped patches of all views of one size": {
    options: { keptPatches: 3, focalSize: [8, 12], focalViews: 1 },
    batch: { keptPatches: Int32Array.from({ length: 2 * B * 3 }, (_, i) => (5 * i + 1) % 8) },
  },
  "dropped branches": {
    batch: { branchScale: { random: branchScale(B), focal: branchScale(2 * B) } },
  },
  "dropped branches of views of one size": {
    options: { focalSize: [8, 12] },
    batch: { branchScale: { random: branchScale(B), focal: branchScale(2 * B) } },
  },
  "no BatchNorm": { options: { usesBatchNorm: false } },
  "one greyscale channel, without biases of queries": {
    config: { num_channels: 1, qkv_bias: false },
  },
};

/** [L, 2, images] */
function branchScale(images: number): Float32Array {
  return Float32Array.from({ length: 3 * 2 * images }, (_, i) => [1, 0, 1.25, 2][i * 7 % 5 % 4]!);
}

/** Starts a small engine. */
async function start({ config: changes, options: own, batch: more, objective }: Case = {}) {
  const options: MsnEngineOptions = { ...OPTIONS, ...own };
  const { usesBatchNorm } = options;
  const given = smallNetworks({ usesBatchNorm, ...(changes ? { changes } : {}) });
  const { config, network, target, prototypes } = given;
  const engine = await MsnEngine.start(config, network, target, prototypes, options);
  const batch: MsnBatch = { ...smallViews(config, options), ...more };
  return { ...given, engine, options, batch, objective: { ...OBJECTIVE, ...objective } };
}

for (const build of BUILDS) {
  for (const [title, what] of Object.entries(CASES)) {
    Deno.test(`MsnEngine, ${build}: gradients() of ${title} are the slopes of the loss`, async () => {
      const { engine, batch, objective, options } = await start({
        ...what,
        options: { ...what.options, build },
      });
      using _ = engine;
      const { loss, norm, crossEntropy, meMax, entropy } = await engine.gradients(batch, objective);
      assertAlmostEquals(
        loss,
        crossEntropy + objective.meMaxWeight * meMax + objective.entropyWeight * entropy,
        1e-9,
      );
      const { names } = engine.parameters;
      const gradients = new Map(names.map((name) => [name, engine.read("gradients", name).data]));
      let squares = 0;
      for (const [name, gradient] of gradients) {
        if (name !== PROTOTYPES) squares += lengthOf(gradient) ** 2;
      }
      assert(Math.abs(norm - Math.sqrt(squares)) < 1e-5 * norm, "The norm is not the gradients'");
      const isShift = options.usesBatchNorm
        ? /key\.bias$|^fc\.fc[12]\.bias$|^layernorm\.bias$/
        : /key\.bias$/;
      const lossOfPrototypes = lossFrom(engine.lastBatch(), engine, objective);
      const own = engine.read("parameters", PROTOTYPES).data;
      assertAlmostEquals(lossOfPrototypes(own), loss, 1e-5);
      let largest = 0;
      for (const [i, [name, gradient]] of [...gradients].entries()) {
        const length = lengthOf(gradient);
        if (isShift.test(name)) {
          assert(length < NOISE, `${name} has the gradient ${length}`);
          continue;
        }
        assert(length > NOISE, `${name} has no gradient`);
        const chance = numbers(100 + i, gradient.length);
        const chanceLength = lengthOf(chance);
        const direction = chance.map((x, j) => x / chanceLength + gradient[j]! / length);
        const before = engine.read("parameters", name).data;
        const lossOf = name === PROTOTYPES
          ? lossOfPrototypes
          : async (parameters: Float32Array) => {
            engine.write("parameters", name, parameters);
            await engine.refresh();
            return (await engine.gradients(batch, objective)).loss;
          };
        const slopes: number[] = [];
        for (const step of [STEP, 2 * STEP]) {
          const losses: number[] = [];
          for (const signed of [step, -step]) {
            losses.push(await lossOf(before.map((x, j) => x + signed * direction[j]!)));
          }
          slopes.push((losses[0]! - losses[1]!) / (2 * step));
        }
        engine.write("parameters", name, before);
        // The error of a slope grows with the square of the step.
        const slope = (4 * slopes[0]! - slopes[1]!) / 3;
        const expected = gradient.reduce((sum, x, j) => sum + x * direction[j]!, 0);
        const difference = Math.abs(slope - expected) / length;
        largest = Math.max(largest, difference);
        assert(difference < TOLERANCE, `${name}: ${slope} instead of ${expected}`);
      }
      console.log(`largest difference ${largest.toExponential(1)} of ${gradients.size}`);
    });
  }

  for (const [title, randomSize] of [["the config's", [8, 12]], ["another", [12, 9]]] as const) {
    Deno.test(`MsnEngine, ${build}: features() of images of ${title} size are the target encoder's`, async () => {
      const patches = randomSize[0] / 4 * randomSize[1] / 3;
      const options = { randomSize, keptPatches: patches - 2, build, threads: 2 };
      const { engine, config, batch, objective } = await start({ options });
      using _ = engine;
      const size = batch.target.length / B, D = config.hiddenSize;
      const kept = Int32Array.from({ length: B * (patches - 2) }, (_, i) => (3 * i) % patches);
      for (const isTrained of [false, true]) {
        if (isTrained) {
          await engine.gradients({ ...batch, keptPatches: kept }, objective);
          await engine.step(ADAMW);
        }
        using other = await TrainingEngine.start(config, engine.encoderWeights("average"), {
          tune: { kind: "last", blocks: 0 },
          batchSize: B,
          imageSize: randomSize,
          build,
        });
        const { cls } = await other.forward({ images: B, pixelValues: batch.target });
        assert(maxDifference(await engine.features(B, batch.target), cls) < 1e-5);
        const one = await engine.features(1, batch.target.slice(size, 2 * size));
        assert(maxDifference(one, cls.slice(D, 2 * D)) < 1e-5);
      }
    });
  }

  Deno.test(`MsnEngine, ${build}: the features of anchors and targets are the encoders' of all patches`, async () => {
    const { engine, config, options, batch, objective } = await start({ options: { build } });
    using _ = engine;
    await engine.gradients(batch, objective);
    const { anchorFeatures, targetFeatures } = engine.lastBatch();
    const split = B * config.hiddenSize;
    for (
      const [weights, imageSize, pixelValues, features] of [
        ["parameters", options.randomSize, batch.random, anchorFeatures.slice(0, split)],
        ["parameters", options.focalSize, batch.focal, anchorFeatures.slice(split)],
        ["average", options.randomSize, batch.target, targetFeatures],
      ] as const
    ) {
      const images = features.length / config.hiddenSize;
      using other = await TrainingEngine.start(config, engine.encoderWeights(weights), {
        tune: { kind: "last", blocks: 0 },
        batchSize: images,
        imageSize,
        build,
      });
      const { cls } = await other.forward({ images, pixelValues });
      assert(maxDifference(features, cls) < 1e-5, `${weights} of ${imageSize}`);
    }
  });

  Deno.test(`MsnEngine, ${build}: views of one size in two groups or one are the same`, async () => {
    const one = { randomViews: 3, focalViews: 0, focalSize: [8, 12], build } as const;
    const two = { ...one, randomViews: 1, focalViews: 2 };
    const parts = [branchScale(B), numbers(9, 3 * 2 * 2 * B)] as const;
    // [L, 2, n]: each branch has its random anchors' factors first, then its focal ones'.
    const all = Float32Array.from({ length: 3 * 2 * 3 * B }, (_, i) => {
      const branch = Math.floor(i / (3 * B)), anchor = i % (3 * B);
      return anchor < B ? parts[0][branch * B + anchor]! : parts[1][branch * 2 * B + anchor - B]!;
    });
    const keptPatches = Int32Array.from({ length: 3 * B * 5 }, (_, i) => (3 * i) % 8);
    const { engine, batch, objective } = await start({ options: { ...two, keptPatches: 5 } });
    using _ = engine;
    const together = await start({ options: { ...one, keptPatches: 5 } });
    using other = together.engine;
    const random = Float32Array.of(...batch.random, ...batch.focal);
    const scale = { random: parts[0], focal: parts[1] };
    assertEquals(
      await engine.gradients({ ...batch, keptPatches, branchScale: scale }, objective),
      await other.gradients({
        target: batch.target,
        random,
        focal: new Float32Array(),
        keptPatches,
        branchScale: { random: all, focal: new Float32Array() },
      }, objective),
    );
    assertEquals(engine.lastBatch(), other.lastBatch());
    assertEquals([engine.anchorGroups, other.anchorGroups], [1, 1]);
    const { loss } = await engine.gradients(
      { ...batch, keptPatches, branchScale: scale },
      objective,
    );
    assertNotEquals((await engine.gradients({ ...batch, keptPatches }, objective)).loss, loss);
  });

  Deno.test(`MsnEngine, ${build}: branch factors of 1 change nothing, others change their own views`, async () => {
    const { engine, batch, objective, config } = await start({ options: { build } });
    using _ = engine;
    const losses = await engine.gradients(batch, objective);
    const features = () => engine.lastBatch().anchorFeatures;
    const before = features();
    const ones = (images: number) => new Float32Array(3 * 2 * images).fill(1);
    const scale = { random: ones(B), focal: ones(2 * B) };
    assertEquals(await engine.gradients({ ...batch, branchScale: scale }, objective), losses);
    assertEquals(features(), before);
    // The last block's MLP of the second image's first focal view.
    scale.focal[5 * 2 * B + 1] = 0;
    await engine.gradients({ ...batch, branchScale: scale }, objective);
    const after = features();
    const D = config.hiddenSize;
    const changed = Array.from({ length: 3 * B }, (_, row) => row).filter((row) =>
      maxDifference(after.slice(row * D, (row + 1) * D), before.slice(row * D, (row + 1) * D)) > 0
    );
    assertEquals(changed, [B + 1]);
    assertEquals(await engine.gradients(batch, objective), losses);
  });
}

Deno.test("MsnEngine: the figures of the last batch have the shapes of its views", async () => {
  const { engine, batch, objective, config } = await start();
  using _ = engine;
  assertEquals(engine.anchorGroups, 2);
  await engine.gradients(batch, objective);
  const last = engine.lastBatch();
  const D = config.hiddenSize;
  assertEquals(
    Object.fromEntries(Object.entries(last).map(([name, { length }]) => [name, length])),
    {
      anchorFeatures: 3 * B * D,
      targetFeatures: B * D,
      anchorProjections: 3 * B * OUTPUT,
      targetProjections: B * OUTPUT,
      anchorProbabilities: 3 * B * K,
      unsharpenedProbabilities: B * K,
      targetProbabilities: B * K,
    },
  );
  assertEquals(engine.lastTargets(), last.targetProbabilities);
  assertEquals(last.targetFeatures, await engine.features(B, batch.target));
  for (const name of ["anchor", "unsharpened", "target"] as const) {
    const data = last[`${name}Probabilities`];
    for (let row = 0; row < data.length; row += K) {
      assertAlmostEquals(data.slice(row, row + K).reduce((a, b) => a + b), 1, 1e-5, name);
    }
  }
});

Deno.test("MsnEngine: encoderWeights() are the given ones, then what was learnt and its average", async () => {
  const { engine, network, target, batch, objective } = await start();
  using _ = engine;
  const given = { parameters: network.encoder, average: target.encoder };
  for (const vector of ["parameters", "average"] as const) {
    const weights = engine.encoderWeights(vector);
    assertEquals([...weights.keys()], [...network.encoder.keys()]);
    for (const [name, tensor] of weights) {
      if (engine.parameters.get(name)) assertEquals(tensor, given[vector].get(name), name);
    }
  }
  await engine.gradients(batch, objective);
  await engine.step(ADAMW);
  const [learnt, average] = [engine.encoderWeights("parameters"), engine.encoderWeights("average")];
  for (const [name, { data }] of learnt) {
    const before = network.encoder.get(name)!.data as Float32Array;
    if (name === MASK_TOKEN || name.startsWith("classifier.")) {
      assertEquals(data, before, name);
      continue;
    }
    // Also what has no gradient decays.
    assert(maxDifference(data as Float32Array, before) > 1e-5, `${name} has not learnt`);
    const old = target.encoder.get(name)!.data as Float32Array;
    const wanted = old.map((x, i) => 0.75 * x + 0.25 * (data as Float32Array)[i]!);
    assert(maxDifference(average.get(name)!.data as Float32Array, wanted) < 1e-6, name);
  }
});

Deno.test("MsnEngine: a step lowers the loss, and features() are the new average's", async () => {
  const { engine, batch, objective } = await start();
  using _ = engine;
  const before = await engine.gradients(batch, objective);
  const features = await engine.features(B, batch.target);
  await engine.step({
    ...ADAMW,
    emaDecay: 1,
    groupOf: () => ({ learningRate: 1e-3, weightDecay: 0 }),
  });
  const after = await engine.gradients(batch, objective);
  assert(after.loss < before.loss, `${after.loss} after ${before.loss}`);
  assertEquals(await engine.features(B, batch.target), features);
  await engine.step({ ...ADAMW, step: 2 });
  assert(maxDifference(await engine.features(B, batch.target), features) > 1e-4);
});

Deno.test("MsnEngine: running statistics start as they are given, and move with each group", async () => {
  const { engine, batch, objective, config, network, target, prototypes, options } = await start();
  using _ = engine;
  const names = ["bn1", "bn2"].flatMap((bn) => [`${bn}.running_mean`, `${bn}.running_var`]);
  assertEquals(
    [...engine.buffers().keys()],
    ["", "target."].flatMap((prefix) => names.map((name) => `${prefix}fc.${name}`)),
  );
  for (const [name, data] of engine.buffers()) {
    assertEquals([...data], Array(HIDDEN).fill(name.endsWith("var") ? 1 : 0));
  }
  const given = names.map((name, i) =>
    [name, { dtype: "float32", shape: [HIDDEN], data: numbers(i, HIDDEN) }] as const
  );
  using other = await MsnEngine.start(
    config,
    { ...network, head: new Map([...network.head, ...given]) },
    target,
    prototypes,
    options,
  );
  for (const [name, { data }] of given) assertEquals(other.buffers().get(`fc.${name}`), data);
  await engine.gradients(batch, objective);
  await other.gradients(batch, objective);
  for (const [name, { data }] of given) {
    // Two groups move by a tenth each.
    const kept = 0.9 ** 2;
    const own = engine.buffers().get(`fc.${name}`)!;
    const start = name.endsWith("var") ? 1 : 0;
    const wanted = own.map((x, i) => x + kept * (data[i]! - start));
    assert(maxDifference(other.buffers().get(`fc.${name}`)!, wanted) < 1e-5, name);
    const targets = engine.buffers().get(`target.fc.${name}`)!;
    assertEquals(other.buffers().get(`target.fc.${name}`), targets);
  }
});

Deno.test("MsnEngine: a head without BatchNorm has no running statistics", async () => {
  const { engine } = await start({ options: { usesBatchNorm: false } });
  using _ = engine;
  assertEquals(engine.buffers().size, 0);
});

Deno.test("MsnEngine: arrays of other lengths than the options say are errors", async () => {
  const { engine, batch, objective } = await start({ options: { keptPatches: 5 } });
  using _ = engine;
  const scale = { random: branchScale(B), focal: branchScale(2 * B) };
  const wrong: [Partial<MsnBatch>, string][] = [
    [{ target: batch.target.slice(1) }, "pixels of target has 1151 numbers, not 1152"],
    [{ random: batch.random.slice(1) }, "pixels of random has 1151 numbers, not 1152"],
    [{ focal: new Float32Array() }, "pixels of focal has 0 numbers, not 576"],
    [{ keptPatches: new Int32Array(2) }, "keptPatches of random has 2 numbers, not 20"],
    [{ keptPatches: new Int32Array(20).fill(8) }, "keptPatches of random has a patch out of range"],
    [{ keptPatches: new Int32Array(20).fill(-1) }, "has a patch out of range"],
    [
      { branchScale: { ...scale, random: new Float32Array(1) } },
      "branchScale of random has 1 numbers, not 24",
    ],
    [
      { branchScale: { ...scale, focal: new Float32Array(1) } },
      "branchScale of focal has 1 numbers, not 48",
    ],
  ];
  for (const [change, message] of wrong) {
    const changed = { ...batch, ...change };
    await assertRejects(() => engine.gradients(changed, objective), RangeError, message);
  }
  await engine.gradients(batch, objective);
});

Deno.test("MsnEngine: arrays of other lengths are errors also where views go together, or are none", async () => {
  for (const [focalViews, message] of [[2, "branchScale of"], [0, "pixels of focal"]] as const) {
    const options = { focalViews, focalSize: [8, 12] } as const;
    const { engine, batch, objective } = await start({ options });
    using _ = engine;
    const change = focalViews > 0
      ? { branchScale: { random: branchScale(B), focal: branchScale(B) } }
      : { focal: new Float32Array(3) };
    const changed = { ...batch, ...change };
    await assertRejects(() => engine.gradients(changed, objective), RangeError, message);
  }
});

Deno.test("MsnEngine: features() of no images, too many, or other pixels are errors", async () => {
  const { engine, batch } = await start();
  using _ = engine;
  for (
    const [images, length, message] of [
      [0, 0, "Cannot compute features of 0 images"],
      [B + 1, 5 * 288, `Cannot compute features of ${B + 1} images: the batch has ${B}`],
      [B, 1151, "pixels of target has 1151 numbers, not 1152"],
    ] as const
  ) {
    await assertRejects(
      () => engine.features(images, new Float32Array(length)),
      RangeError,
      message,
    );
  }
  assertEquals((await engine.features(B, batch.target)).length, B * 20);
});

Deno.test("MsnEngine: a batch that takes more memory than there is, is an error", async () => {
  await assertRejects(
    () => start({ options: { batchSize: 100_000_000 } }),
    RangeError,
    "Cannot pre-train: the model and its activations take more memory than there is",
  );
});

Deno.test("MsnEngine: an engine that is disposed of refuses to compute", async () => {
  const { engine, batch, objective } = await start({ options: { threads: 2 } });
  assert(engine.memoryBytes > 0 && engine.memoryBytes % 65_536 === 0);
  engine[Symbol.dispose]();
  const message = "Cannot train: the trainer is disposed of";
  await assertRejects(() => engine.gradients(batch, objective), Error, message);
});

/**
 * The loss of prototypes by the formula, from the projections of the last batch. Targets are those of the present
 * prototypes: they have no gradient.
 */
function lossFrom(
  { anchorProjections, targetProjections }: ReturnType<MsnEngine["lastBatch"]>,
  engine: MsnEngine,
  { temperature, sharpen, ...objective }: MsnObjective,
): (prototypes: Float32Array) => number {
  const targets = cosines(targetProjections, engine.read("parameters", PROTOTYPES).data);
  const settings = { ...objective, scale: 1 / temperature, sharpening: 1 / sharpen };
  return (prototypes) =>
    msnLossReference({ K, anchors: cosines(anchorProjections, prototypes), targets }, settings)
      .loss;
}

/** [rows, output], [K, output] → [rows, K] */
function cosines(projections: Float32Array, prototypes: Float32Array): Float64Array {
  const row = (data: Float32Array, i: number) =>
    Float64Array.from(data.subarray(i * OUTPUT, (i + 1) * OUTPUT));
  return Float64Array.from({ length: projections.length / OUTPUT * K }, (_, i) => {
    const z = row(projections, Math.floor(i / K)), c = row(prototypes, i % K);
    const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, j) => sum + x * b[j]!, 0);
    return dot(z, c) / Math.sqrt(dot(z, z) * dot(c, c));
  });
}

function lengthOf(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}
