import { assert, assertEquals } from "@std/assert";
import { TrainingEngine } from "../../../src/train/engine/engine.ts";
import type { Batch, Objective } from "../../../src/train/engine/batch.ts";
import type { EngineOptions } from "../../../src/train/engine/engine_options.ts";
import { crossEntropy, numbers, smallBatch, smallModel } from "./small_models.ts";

/** Of the slope along a direction of which half is the gradient's own. */
const TOLERANCE = 1e-2;
/** The default length of a step to both sides. */
const STEP = 0.01;
/** Gradients below are noise: keys' biases have none. */
const NOISE = 1e-5;

const BATCH = 3;

/** A way of training: the model's config, the engine, and what is trained on. */
interface Case {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly options?: Partial<EngineOptions>;
  readonly batch?: Partial<Batch>;
  readonly objective?: Objective;
  readonly step?: number;
}

const targets = numbers(9, BATCH * 5).map(Math.abs);

const CASES: Readonly<Record<string, Case>> = {
  "a whole model": {},
  "a last block that is the only one": { config: { num_hidden_layers: 1 } },
  "one greyscale channel, without biases of queries": {
    config: { num_channels: 1, qkv_bias: false },
  },
  "GELU with tanh": { config: { hidden_act: "gelu_new" } },
  "quick GELU": { config: { hidden_act: "quick_gelu" } },
  "ReLU, within its bends": { config: { hidden_act: "relu" }, step: 1e-3 },
  "SiLU": { config: { hidden_act: "silu" } },
  "masked patches": { options: { masks: true } },
  "kept patches": { options: { keptPatches: 3 } },
  "one kept patch": { options: { keptPatches: 1 } },
  "interpolated positions": { options: { imageSize: [12, 18] } },
  "fewer patches, of images that are no multiple of them": { options: { imageSize: [7, 11] } },
  "all of these": { options: { masks: true, keptPatches: 5, imageSize: [12, 18], threads: 2 } },
  "dropped branches": {
    batch: {
      branchScale: Float32Array.from(
        { length: 3 * 2 * BATCH },
        (_, i) => [0, 1.25, 1][(i + Math.floor(i / 3)) % 3]!,
      ),
    },
  },
  "dropped branches on two threads": {
    options: { threads: 2 },
    batch: {
      branchScale: Float32Array.from(
        { length: 3 * 2 * BATCH },
        (_, i) => [2, 0, 1][(i + Math.floor(i / 6)) % 3]!,
      ),
    },
  },
  "the last two blocks": { options: { tune: { kind: "last", blocks: 2 } } },
  "the last block": { options: { tune: { kind: "last", blocks: 1 } } },
  "only the classifier and its LayerNorm": { options: { tune: { kind: "last", blocks: 0 } } },
  "LoRA": { options: { tune: { kind: "lora", rank: 3, alpha: 5 } } },
  "the binary cross-entropy": {
    objective: {
      loss: "binary_cross_entropy",
      targets,
      factor: 1 / 15,
      positiveWeights: Float32Array.of(1, 2, 3, 0.5, 1.5),
    },
  },
  "the squared error": { objective: { loss: "mean_squared_error", targets, factor: 1 / 15 } },
};

for (
  const [title, { config: changes, options: own, batch: more, objective, step = STEP }] of Object
    .entries(CASES)
) {
  Deno.test(`gradients() of ${title} are the slopes of the loss`, async () => {
    const { config, weights } = smallModel(changes);
    const options = { tune: { kind: "all" }, batchSize: BATCH, ...own } as const;
    using engine = await TrainingEngine.start(config, weights, options);
    await startAdapters(engine);
    const batch = { ...smallBatch(config, options), ...more };
    const goal = objective ?? crossEntropy(BATCH);
    const { norm } = await engine.gradients(batch, goal);
    const { names } = engine.parameters;
    const gradients = new Map(names.map((name) => [name, engine.read("gradients", name).data]));
    let squares = 0;
    for (const gradient of gradients.values()) squares += lengthOf(gradient) ** 2;
    assert(Math.abs(norm - Math.sqrt(squares)) < 1e-5 * norm, "The norm is not the gradients'");
    assertEquals(gradients.has("embeddings.mask_token"), Boolean(options.masks));
    let largest = 0, silent = 0;
    for (const [i, [name, gradient]] of [...gradients].entries()) {
      const length = lengthOf(gradient);
      if (length < NOISE) {
        silent++;
        assert(name.endsWith("key.bias"), `${name} has no gradient`);
        continue;
      }
      const chance = numbers(100 + i, gradient.length);
      const chanceLength = lengthOf(chance);
      const direction = chance.map((x, j) => x / chanceLength + gradient[j]! / length);
      const start = engine.read("parameters", name).data;
      const losses: number[] = [];
      for (const signed of [step, -step]) {
        engine.write("parameters", name, start.map((x, j) => x + signed * direction[j]!));
        await engine.refresh();
        losses.push((await engine.gradients(batch, goal)).loss);
      }
      engine.write("parameters", name, start);
      const slope = (losses[0]! - losses[1]!) / (2 * step);
      const expected = gradient.reduce((sum, x, j) => sum + x * direction[j]!, 0);
      const difference = Math.abs(slope - expected) / length;
      largest = Math.max(largest, difference);
      assert(difference < TOLERANCE, `${name}: ${slope} instead of ${expected}`);
    }
    assert(silent <= config.numHiddenLayers);
    console.log(`largest difference ${largest.toExponential(1)} of ${gradients.size}`);
  });
}

/** B is 0 at first, which leaves A without a gradient. */
async function startAdapters(engine: TrainingEngine): Promise<void> {
  for (const [i, name] of engine.parameters.names.entries()) {
    if (!name.includes(".lora_")) continue;
    engine.write("parameters", name, numbers(50 + i, engine.parameters.get(name)!.size));
  }
  await engine.refresh();
}

function lengthOf(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}
