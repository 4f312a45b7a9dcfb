import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { concat } from "@std/bytes/concat";
import { readSafetensors, writeSafetensors } from "../../../src/checkpoint/safetensors.ts";
import type { RawImage } from "../../../src/image/raw_image.ts";
import { uniform } from "../../../src/tensor/random.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { finetune } from "../../../src/train/finetune/finetune.ts";
import type {
  FinetuneDataset,
  FinetuneEvent,
  FinetuneResult,
  FinetuneRun,
} from "../../../src/train/finetune/finetune_events.ts";
import type { FinetuneOptions } from "../../../src/train/finetune/finetune_options.ts";
import {
  type FinetuneState,
  finetuneStateOfTensors,
  finetuneStateToTensors,
} from "../../../src/train/finetune/training_state.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { type ModelFile, readModelFile, writeModelFile } from "../../../src/vit_msn/model_file.ts";
import { NOT_ISOLATED, withGlobals } from "../../host/with_globals.ts";
import { randomWeights } from "../../vit_msn/random_weights.ts";

const CONFIG = {
  model_type: "vit_msn",
  hidden_size: 16,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: 24,
  image_size: 16,
  patch_size: 8,
};

/** @param change of each weight, by its name. */
function modelOf(change = (_: string, data: Float32Array) => data): ModelFile {
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of randomWeights(parseConfig(CONFIG), { classifier: false })) {
    weights.set(name, { ...tensor, data: change(name, tensor.data as Float32Array) });
  }
  return readModelFile(concat(writeModelFile(CONFIG, { size: 16 }, weights, "f32")));
}

/** Images of noise whose levels tell the classes apart: dark, middle, bright. */
function imagesOf(
  count: number,
  seed: number,
  classes = 3,
): { labels: number[]; images: RawImage[] } {
  const random = uniform(seed);
  const labels = Array.from({ length: count }, (_, i) => i % classes);
  const images = labels.map((label) => ({
    width: 20,
    height: 18,
    data: Uint8Array.from({ length: 20 * 18 * 3 }, () => 30 + 60 * label + 60 * random()),
  }));
  return { labels, images };
}

function datasetOf(training = 25, heldOut = 21): FinetuneDataset {
  const [a, b] = [imagesOf(training, 1), imagesOf(heldOut, 2)];
  return {
    classes: ["dark", "middle", "bright"],
    training: { labels: a.labels, image: (i) => a.images[i]! },
    ...(heldOut > 0 ? { validation: { labels: b.labels, image: (i) => b.images[i]! } } : {}),
  };
}

const FEW = { epochs: 2, batchSize: 8, learningRate: 3e-3 } as const;

interface Outcome {
  readonly events: readonly FinetuneEvent[];
  readonly messages: string;
  readonly result: FinetuneResult;
}

/** @param model default one whose features barely tell the classes apart, so that training is better. */
async function run(
  options: FinetuneOptions,
  dataset = datasetOf(),
  more: FinetuneRun = {},
  model = blindModel(),
): Promise<Outcome> {
  const events = await Array.fromAsync(finetune(model, dataset, { ...FEW, ...options }, more));
  const last = events.at(-1)!;
  if (last.kind !== "result") throw new Error(`the run ended with ${last.kind}`);
  const texts = events.flatMap((event) => event.kind === "message" ? event.text : []);
  return { events, messages: texts.join("\n"), result: last.result };
}

/** Its patches have no influence, so that all features are equal. */
function blindModel(): ModelFile {
  return modelOf((name, data) =>
    name === "embeddings.patch_embeddings.projection.weight" ? data.map(() => 0) : data
  );
}

/** All that must be the same after a resumed run. */
function bitsOf({ result }: Outcome): unknown {
  const { weights, head, records, bestEpoch, heldOut } = result;
  return {
    weights: [...weights],
    head: head.parameters,
    bestEpoch,
    heldOut,
    records: records.map((record) => ({ ...record, seconds: 0, imagesPerSecond: 0 })),
  };
}

/** Interrupts a run after its k-th step; returns the state through a file's bytes. */
async function interrupted(options: FinetuneOptions, k: number): Promise<FinetuneState> {
  const controller = new AbortController();
  let steps = 0;
  const events = finetune(blindModel(), datasetOf(), { ...FEW, ...options }, {
    signal: controller.signal,
  });
  for await (const event of events) {
    if (event.kind === "step" && ++steps === k) controller.abort();
    if (event.kind === "interrupted") {
      return finetuneStateOfTensors(
        readSafetensors(writeSafetensors(finetuneStateToTensors(event.state))),
      );
    }
  }
  throw new Error("the run was not interrupted");
}

const WAYS: Readonly<Record<string, FinetuneOptions>> = {
  "all, with everything random": {
    tune: { kind: "all" },
    mixup: 0.8,
    cutmix: 1,
    keepPatches: 0.75,
    dropPath: 0.3,
    randomErasing: 0.5,
    randAugment: true,
    classWeight: "balanced",
  },
  "last:1 from cached views": { tune: { kind: "last", blocks: 1 }, cachedViews: 1 },
  "lora:2": { tune: { kind: "lora", rank: 2, alpha: 4 } },
};

for (const [name, options] of Object.entries(WAYS)) {
  Deno.test(`${name}: interrupted and resumed is the same to the bit`, async () => {
    const whole = await run(options);
    assertEquals(bitsOf(await run(options)), bitsOf(whole));
    // 4 steps an epoch: in the first epoch, at its end, and in the second.
    for (const k of [2, 4, 7]) {
      const resumed = await run(options, datasetOf(), { resume: await interrupted(options, k) });
      assertEquals(bitsOf(resumed), bitsOf(whole), `after ${k} steps`);
    }
  });
}

Deno.test("another seed gives other weights", async () => {
  const [a, b] = [
    await run({ tune: { kind: "all" } }),
    await run({ tune: { kind: "all" }, seed: 1 }),
  ];
  assertNotEquals(bitsOf(a), bitsOf(b));
});

Deno.test("in a page that is not isolated it trains in one thread, whatever is asked for", async () => {
  const options = { tune: { kind: "last", blocks: 1 } } as const;
  const two = await withGlobals(NOT_ISOLATED, () => run({ ...options, threads: 2 }));
  assertEquals(bitsOf(two), bitsOf(await run({ ...options, threads: 1 })));
});

Deno.test("a state of other options, photos or threads is not resumed", async () => {
  const options = { tune: { kind: "last", blocks: 1 } } as const;
  const resume = await interrupted(options, 1);
  const others: [FinetuneOptions, FinetuneDataset][] = [
    [{ ...options, epochs: 3 }, datasetOf()],
    [{ ...options, seed: 1 }, datasetOf()],
    [options, datasetOf(24)],
    [options, { ...datasetOf(), training: { ...datasetOf().training, digest: "others" } }],
  ];
  for (const [changed, dataset] of others) {
    await assertRejects(
      () => run(changed, dataset, { resume }),
      TypeError,
      "Cannot resume: the state belongs to a training with another model, other photos, options or threads",
    );
  }
});

Deno.test("auto goes on with what it chose, even if the computer has become slower", async () => {
  const options = { tune: { kind: "auto" }, timeLimit: 1e9 } as const;
  const dataset = datasetOf(60);
  const controller = new AbortController();
  let state: FinetuneState | undefined;
  const signal = controller.signal;
  for await (const event of finetune(blindModel(), dataset, { ...FEW, ...options }, { signal })) {
    if (event.kind === "step") controller.abort();
    if (event.kind === "interrupted") state = event.state;
  }
  let time = 0;
  const slow = { resume: state, now: () => time += 1e9 };
  const { events } = await run({ tune: { kind: "auto" } }, dataset, slow);
  assert(events.some(({ kind }) => kind === "step"));
});

Deno.test("a state of another model is not resumed", async () => {
  const state = await interrupted({ tune: { kind: "all" } }, 1);
  await assertRejects(
    () => run({ tune: { kind: "all" } }, datasetOf(), { resume: state }, modelOf()),
    TypeError,
    "Cannot resume: the state belongs to a training with another model",
  );
});

Deno.test("without held-out images, no epoch is without a gain", async () => {
  const { result } = await run(
    { tune: { kind: "last", blocks: 1 }, epochs: 4, earlyStopping: 1 },
    datasetOf(25, 0),
  );
  assertEquals([result.records.length, result.stopped], [4, undefined]);
});

Deno.test("a state without a tensor, or with one of another size, is not resumed", async () => {
  const options = { tune: { kind: "last", blocks: 1 } } as const;
  const { progress, tensors } = await interrupted(options, 1);
  const name = "exp_avg.classifier.bias";
  for (const tensor of [undefined, { dtype: "float32", shape: [1], data: new Float32Array(1) }]) {
    const damaged = new Map(tensors);
    if (tensor) damaged.set(name, tensor as Tensor);
    else damaged.delete(name);
    await assertRejects(
      () => run(options, datasetOf(), { resume: { progress, tensors: damaged } }),
      TypeError,
      `Cannot resume: ${name} is missing or has another size`,
    );
  }
});

Deno.test("training learns what the frozen backbone cannot see", async () => {
  const { result } = await run({ tune: { kind: "all" }, epochs: 8 }, datasetOf(60, 30));
  assert(result.heldOut!.frozen < 0.5, `${result.heldOut!.frozen}`);
  assert(result.heldOut!.result > 0.8, `${result.heldOut!.result}`);
  assertEquals(result.tune, { kind: "all" });
  assert(result.records.at(-1)!.loss < result.records[0]!.loss);
  const { calibrated, unknown } = result.head.parameters.settings;
  assert(calibrated);
  assertEquals(unknown?.criterion, "probability");
  assertEquals(result.evaluation?.count, 30);
});

Deno.test("what does not learn keeps its bits", async () => {
  // Without held-out images, the result is what was trained, better or not.
  const dataset = datasetOf(25, 0);
  const before = (await run({ tune: { kind: "head" } }, dataset)).result.weights;
  const changed = async (options: FinetuneOptions) => {
    const { result } = await run(options, dataset);
    return [...result.weights].filter(([name, { data }]) =>
      data.some((x, i) => x !== before.get(name)!.data[i])
    ).map(([name]) => name);
  };
  const last = await changed({ tune: { kind: "last", blocks: 1 } });
  assert(last.length > 10 && last.every((name) => /^(encoder\.layer\.2|layernorm)\./.test(name)));
  const lora = await changed({ tune: { kind: "lora", rank: 2, alpha: 4 } });
  assertEquals(lora.length, 6);
  assert(lora.every((name) => /\.(query|value)\.weight$/.test(name)));
});

Deno.test("a loss that is no number ends training, which says in which step", async () => {
  const { result, messages } = await run({ tune: { kind: "all" }, learningRate: 1e6, warmup: 0 });
  assertMatch(result.stopped!, /^in step \d of epoch 1 the loss became /);
  assertEquals(result.tune, { kind: "head" });
  assertStringIncludes(messages, "the result is the head on the frozen backbone");
  for (const { data } of result.weights.values()) assert(data.every((x) => Number.isFinite(x)));
});

Deno.test("last: as many blocks as there are, or more, learn from pixels", async () => {
  const [all, more] = await Promise.all(
    [3, 9].map((blocks) => run({ tune: { kind: "last", blocks }, epochs: 4 })),
  );
  assertEquals(all!.result.settings!.cachedViews, 0);
  assertEquals(all!.result.stopped, undefined);
  assertEquals([...all!.result.weights], [...more!.result.weights]);
});

Deno.test("a learning rate of 10 gives a result that is no worse than the frozen head", async () => {
  const { result } = await run({ tune: { kind: "all" }, learningRate: 10 });
  assert(result.heldOut!.result >= result.heldOut!.frozen);
  for (const { data } of result.weights.values()) assert(data.every((x) => Number.isFinite(x)));
});

Deno.test("an image that cannot be read is left out, and a message says so", async () => {
  const { training, ...others } = datasetOf();
  const calls = new Map<number, number>();
  const dataset = {
    ...others,
    training: {
      ...training,
      image(index: number) {
        calls.set(index, (calls.get(index) ?? 0) + 1);
        if (index === 5 && calls.get(5)! > 1) throw new Error("cat.jpg: no such file");
        return training.image(index);
      },
    },
  };
  const { messages, result } = await run({ tune: { kind: "all" } }, dataset);
  assertStringIncludes(messages, "cat.jpg: no such file");
  assertEquals(result.records.length, 2);
});

Deno.test("an image that the head does without is counted in a message", async () => {
  const { training, ...others } = datasetOf();
  const image = (index: number) => {
    if (index === 5) throw new Error("cat.jpg: no such file");
    return training.image(index);
  };
  const { messages } = await run({ tune: { kind: "head" } }, {
    ...others,
    training: { ...training, image },
  });
  assertStringIncludes(messages, "cannot be read any more: 1; the head does without them");
});

Deno.test("without any readable image, training is an error", async () => {
  const { training, ...others } = datasetOf(25, 0);
  let calls = 0;
  const dataset = {
    ...others,
    training: {
      ...training,
      image(index: number) {
        if (++calls > 25) throw new Error("gone");
        return training.image(index);
      },
    },
  };
  await assertRejects(
    () => run({ tune: { kind: "all" } }, dataset),
    Error,
    "Cannot train: no image can be read any more",
  );
});

Deno.test("auto takes a head for few photos, and without held-out ones", async () => {
  const few = await run({}, datasetOf(9));
  assertStringIncludes(few.messages, "Chose head: 3.0 photos a class are too few");
  const blind = await run({}, datasetOf(60, 0));
  assertStringIncludes(blind.messages, "Chose head: there are no held-out images");
  const all = await run({}, datasetOf(60));
  assertStringIncludes(all.messages, "Chose all: 20 photos a class");
});

Deno.test("a time limit and epochs without a gain end training early", async () => {
  let time = 0;
  const limited = await run(
    { tune: { kind: "all" }, epochs: 50, timeLimit: 60 },
    datasetOf(),
    { now: () => time += 1000 },
  );
  assertStringIncludes(limited.result.stopped!, "the time limit was reached");
  assert(limited.result.records.length < 50);
  const patient = await run({
    tune: { kind: "last", blocks: 1 },
    epochs: 50,
    learningRate: 0,
    earlyStopping: 2,
  });
  assertStringIncludes(patient.result.stopped!, "2 epochs brought no gain");
  assertEquals(patient.result.records.length, 3);
});

Deno.test("two thousand classes have no table of confusions, but a head", async () => {
  const classes = Array.from({ length: 2000 }, (_, c) => `class ${c}`);
  const { result } = await run({ tune: { kind: "all" } }, { ...datasetOf(), classes });
  assertEquals(result.evaluation, undefined);
  assert(result.head.labels.length >= 3);
});

Deno.test("wrong options and data sets are errors", async () => {
  const options: [FinetuneOptions, string][] = [
    [{ epochs: 0 }, "epochs is 0, not a number from 1 to 10000"],
    [{ epochs: 1.5 }, "epochs is 1.5, not an integer"],
    [{ learningRate: NaN }, "learningRate is NaN"],
    [{ labelSmoothing: 1 }, "labelSmoothing is 1"],
    [{ keepPatches: 0 }, "keepPatches is 0"],
    [{ cropScale: 2 }, "cropScale is 2"],
    [{ seed: 0.5 }, "seed is 0.5, not an integer"],
    [{ tune: { kind: "last", blocks: 0 } }, "blocks is 0, not an integer of at least 1"],
    [{ tune: { kind: "lora", rank: 1.5, alpha: 3 } }, "rank is 1.5, not an integer of at least 1"],
  ];
  for (const [wrong, message] of options) {
    await assertRejects(() => run(wrong), RangeError, `Cannot train: ${message}`);
  }
  const dataset = datasetOf();
  const sets: [FinetuneDataset, string][] = [
    [{ ...dataset, classes: ["one"] }, "Cannot train a classifier of 1 class"],
    [{ ...dataset, classes: ["a", "b"] }, "label 2 is none of the 2 classes"],
    [{ ...dataset, training: { ...dataset.training, labels: [] } }, "there are no images"],
  ];
  for (const [wrong, message] of sets) {
    await assertRejects(() => run({}, wrong), RangeError, message);
  }
});

Deno.test("a run that is aborted before it trains ends with an AbortError", async () => {
  const error = await assertRejects(
    () => run({ tune: { kind: "all" } }, datasetOf(), { signal: AbortSignal.abort() }),
    DOMException,
  );
  assertEquals(error.name, "AbortError");
});
