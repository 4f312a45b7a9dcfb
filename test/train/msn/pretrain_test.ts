import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { backboneOf } from "../../../src/train/backbone.ts";
import { pretrain } from "../../../src/train/msn/pretrain.ts";
import type { PretrainDataset, PretrainEvent } from "../../../src/train/msn/pretrain_events.ts";
import type { MsnConfig } from "../../../src/train/msn/msn_settings.ts";
import type { PretrainOptions } from "../../../src/train/msn/pretrain_options.ts";
import {
  newEncoder,
  newHead,
  newPrototypes,
  type PretrainStart,
} from "../../../src/train/msn/start_networks.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { NOT_ISOLATED, withGlobals } from "../../host/with_globals.ts";
import {
  areFinite,
  bitsOf,
  CONFIG,
  datasetOf,
  distance,
  FEW,
  floatsOf,
  interruptedAt,
  knobs,
  modelOf,
  runPretrain,
  throughFile,
} from "./pretrain_run.ts";

/** How the options differ from `FEW`. */
const WAYS: Readonly<Record<string, PretrainOptions>> = {
  "two sizes of views": {},
  "all that is random": {
    seed: 5,
    config: knobs({
      data: { rand_views: 2, patch_drop: 0.5, solarize: 0.5 },
      meta: { drop_path_rate: 0.3 },
    }),
  },
  "two threads, new weights, no BatchNorm": {
    threads: 2,
    isFromScratch: true,
    config: knobs({ meta: { use_bn: false } }),
  },
};

for (const [name, options] of Object.entries(WAYS)) {
  Deno.test(`pretrain(), ${name}: interrupted and resumed is the same to the bit`, async () => {
    const whole = await runPretrain(options);
    assertEquals(bitsOf(await runPretrain(options)), bitsOf(whole));
    // In the first step, just after a record, at the end of the epoch, within the second, after the last step.
    for (const k of [1, 2, 3, 5, 6]) {
      const resume = await interruptedAt(k, options);
      assertEquals(resume.progress.step, k);
      const resumed = await runPretrain(options, datasetOf(), { resume });
      assertEquals(bitsOf(resumed), bitsOf(whole), `after ${k} steps`);
    }
  });
}

Deno.test("pretrain() trains in one thread in a page that is not isolated, whatever is asked for", async () => {
  const two = await withGlobals(NOT_ISOLATED, () => runPretrain({ threads: 2 }));
  assertEquals(bitsOf(two), bitsOf(await runPretrain({ threads: 1 })));
});

Deno.test("pretrain() goes on from the state of a record, too", async () => {
  let state;
  for await (const event of pretrain(modelOf(), datasetOf(), FEW)) {
    if (event.kind === "record" && event.record.step === 4) state = throughFile(event.state());
  }
  const resumed = await runPretrain({}, datasetOf(), { resume: state });
  assertEquals(bitsOf(resumed), bitsOf(await runPretrain()));
});

Deno.test("pretrain() measures before the first step, every so many images, and at the end", async () => {
  const { events, records, result } = await runPretrain();
  assertEquals(
    events.map(({ kind }) => kind),
    [
      "record",
      "step",
      "step",
      "record",
      "step",
      "step",
      "record",
      "step",
      "step",
      "record",
      "result",
    ],
  );
  assertEquals(
    records.map(({ step, images, epoch, epochs }) => [step, images, epoch, epochs]),
    [[0, 0, 1, 2], [2, 8, 1, 2], [4, 16, 2, 2], [6, 24, 2, 2]],
  );
  const steps = events.filter((event) => event.kind === "step");
  assertEquals(
    steps.map(({ epoch, step, steps }) => [epoch, step, steps]),
    [[1, 1, 3], [1, 2, 3], [1, 3, 3], [2, 1, 3], [2, 2, 3], [2, 3, 3]],
  );
  assertEquals(steps.at(-1)!.secondsLeft, 0);
  const [first, ...later] = records;
  assertEquals(
    [first!.loss, first!.prototypesInUse, first!.learningRate],
    Array(3).fill(undefined),
  );
  for (const { loss, crossEntropy, meMax, targets, prototypesInUse, ...record } of later) {
    assert(Math.abs(loss! - crossEntropy! - meMax!) < 1e-9);
    assertEquals(targets, 8);
    assert(prototypesInUse! >= 1 && prototypesInUse! <= 6);
    assert(record.gradientNorm! > 0 && record.learningRate! > 0);
    assert(record.knnAccuracy! >= 0 && record.effectiveRank >= 1);
  }
  assert(later.every(({ momentum }, i) => momentum! > (later[i - 1]?.momentum ?? 0.99)));
  assertEquals(result.stopped, undefined);
});

Deno.test("pretrain() gives the target encoder: other weights than at the start, near them", async () => {
  const model = modelOf();
  const { result } = await runPretrain({}, datasetOf(), {}, model);
  assert(areFinite(result.weights));
  const own = backboneOf(model);
  const distances = [...result.weights.keys()].map((name) => distance(result.weights, own, name));
  // All but the mask token, which images without masks do not use.
  assert(distances.filter((d) => d > 0).length >= result.weights.size - 2);
  // At most 6 steps of 3e-3, of which the average takes 0.4 % each time.
  assert(Math.max(...distances) < 6 * 6 * 3e-3 * 0.004 * 2);
});

Deno.test("pretrain() with another seed or other threads gives other bits", async () => {
  const one = await runPretrain();
  for (const options of [{ seed: 1 }, { threads: 2 }]) {
    const other = await runPretrain(options);
    assertNotEquals([...other.result.weights], [...one.result.weights]);
  }
});

Deno.test("labels do not change what is learnt, whether all, some or none are there", async () => {
  const dataset = datasetOf();
  const whole = await runPretrain({}, dataset);
  const some = dataset.labels.map((label, i) => i % 2 === 0 ? label : undefined);
  const partly = await runPretrain({}, { ...dataset, labels: some });
  const none = await runPretrain({}, { image: dataset.image, labels: some.map(() => undefined) });
  assertEquals([...partly.result.weights], [...whole.result.weights]);
  assertEquals([...none.result.weights], [...whole.result.weights]);
  assertEquals(none.records.map(({ loss }) => loss), whole.records.map(({ loss }) => loss));
  const accuracies = [whole, partly, none].map(({ records }) => typeof records[0]!.knnAccuracy);
  assertEquals(accuracies, ["number", "number", "undefined"]);
  assert(none.records.every(({ effectiveRank }) => effectiveRank > 1));
});

Deno.test("a state of other options, images, threads or another model is not resumed", async () => {
  const resume = await interruptedAt(1);
  const unlabelled = { ...datasetOf(), labels: Array(12).fill(undefined) };
  const others: [PretrainOptions, PretrainDataset?, Parameters<typeof pretrain>[0]?][] = [
    [{ config: knobs({ optimization: { lr: 1e-3 } }) }],
    [{ seed: 1 }],
    [{ threads: 2 }],
    [{ recordEvery: 4 }],
    [{ isFromScratch: true }],
    [{}, datasetOf(13)],
    [{}, unlabelled],
    [{}, { ...datasetOf(), digest: "others" }],
    [{}, datasetOf(), modelOf((_, data) => data.map((x) => x / 2))],
  ];
  for (const [options, dataset = datasetOf(), model] of others) {
    await assertRejects(
      () => runPretrain(options, dataset, { resume }, model),
      TypeError,
      "Cannot resume: the state belongs to a pre-training with another model, other images, options or threads",
      JSON.stringify(options),
    );
  }
});

Deno.test("a state without a tensor, or with one of another size or type, is not resumed", async () => {
  const { progress, tensors } = await interruptedAt(1);
  const names = ["exp_avg.prototypes", "average.fc.fc3.bias", "buffers.target.fc.bn1.running_mean"];
  for (const name of names) {
    const { shape, data } = tensors.get(name)!;
    const wrong: (Tensor | undefined)[] = [
      undefined,
      { dtype: "float32", shape: [1], data: new Float32Array(1) },
      { dtype: "float64", shape, data: Float64Array.from(data as Float32Array) },
    ];
    for (const tensor of wrong) {
      const damaged = new Map(tensors);
      if (tensor) damaged.set(name, tensor);
      else damaged.delete(name);
      await assertRejects(
        () => runPretrain({}, datasetOf(), { resume: { progress, tensors: damaged } }),
        TypeError,
        `Cannot resume: ${name} is missing or has another size`,
      );
    }
  }
});

Deno.test("a state whose use of prototypes is damaged is not resumed", async () => {
  const { progress, tensors } = await interruptedAt(1);
  const usage = { ...progress.usage, used: [99] };
  await assertRejects(
    () => runPretrain({}, datasetOf(), { resume: { progress: { ...progress, usage }, tensors } }),
    RangeError,
    "the state is damaged",
  );
});

Deno.test("a time limit ends pre-training after a step, with a record of it", async () => {
  let time = 0;
  const { result, records } = await runPretrain(
    { timeLimit: 10, config: knobs({ optimization: { epochs: 50 } }) },
    datasetOf(),
    { now: () => time += 1000 },
  );
  assertMatch(result.stopped!, /^the time limit was reached after \d+ of 150 steps$/);
  assert(records.at(-1)!.step > 0 && records.at(-1)!.step < 20);
  assertStringIncludes(result.stopped!, `after ${records.at(-1)!.step} of`);
  // The schedules are as without the limit.
  const free = await runPretrain({ config: knobs({ optimization: { epochs: 50 } }) });
  assertEquals(records[1]!.learningRate, free.records[1]!.learningRate);
});

Deno.test("the time before an interruption counts for the limit", async () => {
  const options = { config: knobs({ optimization: { epochs: 50 } }) };
  const state = await interruptedAt(3, options);
  const resume = { ...state, progress: { ...state.progress, seconds: 100 } };
  const { result } = await runPretrain({ ...options, timeLimit: 50 }, datasetOf(), { resume });
  assertEquals(result.stopped, "the time limit was reached after 4 of 150 steps");
});

Deno.test("a loss that is no number ends pre-training, which names the step and keeps good weights", async () => {
  const optimization = { lr: 1e30, start_lr: 1e30, warmup: 0, epochs: 4 };
  const { result, records } = await runPretrain({
    config: knobs({ optimization: { ...optimization, clip_grad: 0 } }),
  });
  assertMatch(result.stopped!, /step \d .*a smaller optimization\.lr may help/);
  assert(areFinite(result.weights));
  assertEquals(records[0]!.step, 0);
});

Deno.test("a learning rate of 1000 gives finite weights", async () => {
  const optimization = { lr: 1e3, start_lr: 1e3, warmup: 0, epochs: 8 };
  const { result } = await runPretrain({ config: knobs({ optimization }) });
  assert(areFinite(result.weights));
});

Deno.test("weights that are too large to compute with are given back as they were", async () => {
  const model = modelOf((name, data) => name === "layernorm.weight" ? data.map(() => 3e38) : data);
  const { result, records } = await runPretrain({}, datasetOf(), {}, model);
  assertMatch(result.stopped!, /^in step 1 the loss became NaN and the norm of its gradients NaN/);
  assertEquals(records.map(({ effectiveRank }) => effectiveRank), [NaN]);
  for (const [name, { data }] of result.weights) {
    assertEquals(data, floatsOf(backboneOf(model), name));
  }
});

Deno.test("an image that cannot be read any more gets another in its place, and a message", async () => {
  const dataset = datasetOf();
  const broken = (index: number) => {
    if (index === 5) throw new Error("cat.jpg: no such file");
    return dataset.image(index);
  };
  const { messages, records, result } = await runPretrain({}, { ...dataset, image: broken });
  // It is left out where images are monitored, which needs no message.
  assertEquals(messages, Array(2).fill("cat.jpg: no such file"));
  assertEquals([records.length, result.stopped], [4, undefined]);
  const rejected = (index: number) =>
    index === 5 ? Promise.reject(new Error("cat.jpg: no such file")) : dataset.image(index);
  const other = await runPretrain({}, { ...dataset, image: rejected });
  assertEquals(bitsOf(other), bitsOf(await runPretrain({}, { ...dataset, image: broken })));
});

Deno.test("without any readable image, pre-training is an error, at its start and later", async () => {
  const dataset = datasetOf();
  const image = () => Promise.reject(new Error("cat.jpg: no such file"));
  await assertRejects(
    () => runPretrain({}, { ...dataset, image }),
    Error,
    "Cannot pre-train: only 0 of 12 monitored images can be read any more",
  );
  let calls = 0;
  await assertRejects(
    () =>
      runPretrain({}, {
        ...dataset,
        image: (index) => ++calls > 20 ? image() : dataset.image(index),
      }),
    Error,
    "Cannot pre-train: ",
  );
});

const KNOBS: Readonly<Record<string, MsnConfig>> = {
  "two random views": { data: { rand_views: 2 } },
  "no focal views": { data: { focal_views: 0 } },
  "focal views as large as random ones": { data: { focal_size: 16, patch_drop: 0.5 } },
  "random views larger than the model's images": { data: { rand_size: 24, focal_size: 12 } },
  "random views smaller than the model's images": { data: { rand_size: 12, focal_size: 4 } },
  "no BatchNorm": { meta: { use_bn: false } },
  "stochastic depth": { meta: { drop_path_rate: 0.5 } },
  "stochastic depth, views of one size": {
    meta: { drop_path_rate: 0.5 },
    data: { focal_size: 16 },
  },
  "no dropped patches": { data: { patch_drop: 0 } },
  "label smoothing, without Sinkhorn": {
    criterion: { use_sinkhorn: false },
    data: { label_smoothing: 0.1 },
  },
  "a penalty of entropy, no clipping": {
    criterion: { ent_weight: 0.5 },
    optimization: { clip_grad: 0 },
  },
};

Deno.test("each knob changes what is learnt", async () => {
  const bits = async (config: MsnConfig) => {
    const { result, records } = await runPretrain({ config });
    assertEquals([result.stopped, records.length], [undefined, 4]);
    assert(areFinite(result.weights));
    return JSON.stringify(
      [...result.weights.keys()].map((name) => [...floatsOf(result.weights, name)]),
    );
  };
  const seen = new Map([[await bits(FEW.config), "the defaults"]]);
  for (const [name, changes] of Object.entries(KNOBS)) {
    const own = await bits(knobs(changes));
    assertEquals(seen.get(own), undefined, name);
    seen.set(own, name);
  }
});

/** Prototypes after some steps. */
async function prototypesAfter(criterion: { freeze_proto: boolean }): Promise<Tensor> {
  const { tensors } = await interruptedAt(5, { config: knobs({ criterion }) });
  return tensors.get("parameters.prototypes")!;
}

Deno.test("criterion.freeze_proto leaves prototypes as they are", async () => {
  const { data } = newPrototypes(6, 8, 0);
  assertEquals((await prototypesAfter({ freeze_proto: true })).data, data);
  assertNotEquals((await prototypesAfter({ freeze_proto: false })).data, data);
});

Deno.test("pretrain() makes new weights from the seed alone, not from the model's", async () => {
  const model = modelOf();
  const { own: _own, ...shape } = model;
  const scratch = { isFromScratch: true };
  const [a, b, c] = [
    await runPretrain(scratch, datasetOf(), {}, model),
    await runPretrain(scratch, datasetOf(), {}, shape),
    await runPretrain({ ...scratch, seed: 1 }, datasetOf(), {}, shape),
  ];
  assertEquals(bitsOf(a!), bitsOf(b!));
  assertNotEquals(bitsOf(a!), bitsOf(c!));
  await assertRejects(
    () => runPretrain({}, datasetOf(), {}, shape),
    TypeError,
    "Cannot pre-train: the model has no weights",
  );
});

/** A start whose head and prototypes are not as wide as `FEW` has them. */
function startOf(seed = 3): Required<PretrainStart> {
  const config = parseConfig(CONFIG);
  const shape = { input: 16, hidden: 10, output: 5, usesBatchNorm: true };
  return {
    encoder: newEncoder(config, seed),
    targetEncoder: newEncoder(config, seed + 1),
    head: newHead(shape, seed),
    targetHead: newHead(shape, seed + 1),
    prototypes: newPrototypes(9, 5, seed),
  };
}

/** `FEW` without the knobs that a head decides. */
const { meta: _, ...WITHOUT_META } = FEW.config;
const OPEN_CONFIG = { ...WITHOUT_META, criterion: { batch_size: 4 } };

Deno.test("pretrain() goes on from encoders, heads and prototypes, which decide their knobs", async () => {
  const start = startOf();
  const { result } = await runPretrain({ config: OPEN_CONFIG, start });
  const { criterion, meta } = result.settings;
  assertEquals(
    [criterion.num_proto, meta.hidden_dim, meta.output_dim, meta.use_bn],
    [9, 10, 5, true],
  );
  // What learns and the target are not mixed up: the result is near the target encoder.
  const name = "encoder.layer.0.output.dense.weight";
  const [near, far] = [start.targetEncoder, start.encoder].map((encoder) =>
    distance(result.weights, encoder, name)
  );
  assert(near! < 0.1 * far!, `${near}, ${far}`);
  const still = { ...OPEN_CONFIG, optimization: { epochs: 1, lr: 0 } };
  const state = await interruptedAt(1, { config: still, start });
  assertEquals(state.tensors.get("parameters.prototypes")!.data, start.prototypes.data);
  const weight = start.head.get("fc2.weight")!.data;
  assertEquals(state.tensors.get("parameters.fc.fc2.weight")!.data, weight);
});

Deno.test("knobs that contradict the head that is gone on from are refused, equal ones are not", async () => {
  const start = startOf();
  const wrong: [MsnConfig, string][] = [
    [{ criterion: { num_proto: 8 } }, "num_proto is 8, but 9 in what it goes on from"],
    [{ meta: { output_dim: 6 } }, "output_dim is 6, but 5"],
    [{ meta: { hidden_dim: 11 } }, "hidden_dim is 11, but 10"],
    [{ meta: { use_bn: false } }, "use_bn is false, but true"],
  ];
  for (const [{ criterion, meta }, message] of wrong) {
    const config = {
      ...OPEN_CONFIG,
      criterion: { ...OPEN_CONFIG.criterion, ...criterion },
      ...(meta ? { meta } : {}),
    };
    await assertRejects(
      () => runPretrain({ config, start }),
      RangeError,
      `Cannot go on: ${message}`,
    );
  }
  const equal = {
    ...OPEN_CONFIG,
    criterion: { batch_size: 4, num_proto: 9 },
    meta: { output_dim: 5, hidden_dim: 10, use_bn: true },
  };
  const { result } = await runPretrain({ config: equal, start });
  assertEquals(result.stopped, undefined);
});

Deno.test("pretrain() goes on from encoders alone, with a new head", async () => {
  const { encoder, targetEncoder } = startOf();
  const { result } = await runPretrain({ start: { encoder, targetEncoder } });
  assertEquals(result.settings.criterion.num_proto, 6);
});

Deno.test("new weights ignore what could be gone on from, also its head's width", async () => {
  const options = { isFromScratch: true };
  const { result } = await runPretrain({ ...options, start: startOf() });
  assertEquals(result.settings.criterion.num_proto, 6);
  assertEquals([...result.weights], [...(await runPretrain(options)).result.weights]);
});

Deno.test("wrong options, knobs, models and data sets are errors", async () => {
  const rejects = (run: () => Promise<unknown>, message: string) =>
    assertRejects(run, RangeError, message);
  const options: [PretrainOptions, string][] = [
    [{ seed: 0.5 }, "seed is 0.5, not a number from 0 on"],
    [{ threads: 0 }, "threads is 0, not a number from 1 on"],
    [{ recordEvery: 0 }, "recordEvery is 0, not a number from 1 on"],
    [{ timeLimit: NaN }, "timeLimit is NaN, not a number from 0 on"],
    [{ config: knobs({ criterion: { batch_size: 13 } }) }, "the batch has 13 images, the set 12"],
    [{ config: knobs({ data: { rand_size: 18 } }) }, "data.rand_size is 18, not a multiple"],
    [{ config: knobs({ data: { focal_size: 6 } }) }, "data.focal_size is 6, not a multiple"],
    [{ config: knobs({ data: { patch_drop: 0.99 } }) }, "data.patch_drop 0.99 leaves none"],
  ];
  for (const [wrong, message] of options) {
    await rejects(() => runPretrain(wrong), `Cannot pre-train: ${message}`);
  }
  const dataset = datasetOf();
  const sets: [PretrainDataset, string][] = [
    [{ ...dataset, labels: [] }, "on 0 images: give two or more"],
    [{ ...dataset, labels: [0] }, "on 1 images: give two or more"],
    [{ ...dataset, classes: ["a", "b"] }, ": label 2 is none of the 2 classes"],
    [{ ...dataset, labels: [0, -1, 1, 1] }, ": label -1 is none of the 3 classes"],
    [{ ...dataset, labels: [0, 0.5, 1, 1] }, ": label 0.5 is none of the 3 classes"],
    [{ labels: dataset.labels, image: dataset.image }, ": label 0 is none of the 0 classes"],
  ];
  for (const [wrong, message] of sets) {
    await rejects(
      () => runPretrain({}, wrong),
      `Cannot pre-train${message.startsWith(":") ? "" : " "}${message}`,
    );
  }
  for (const change of [{ image_size: [16, 24] }, { patch_size: [4, 8] }]) {
    const model = modelOf(undefined, { ...CONFIG, ...change });
    await rejects(() => runPretrain({}, dataset, {}, model), "are not square, as MSN's views are");
  }
});

Deno.test("a signal that is aborted at first interrupts pre-training after one step", async () => {
  const events: PretrainEvent[] = await Array.fromAsync(
    pretrain(modelOf(), datasetOf(), FEW, { signal: AbortSignal.abort() }),
  );
  assertEquals(events.map(({ kind }) => kind), ["record", "step", "interrupted"]);
});
