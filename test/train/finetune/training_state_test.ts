import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { TrainingEngine } from "../../../src/train/engine/engine.ts";
import {
  finetuneStateOfTensors,
  finetuneStateToTensors,
  readState,
  restoreState,
} from "../../../src/train/finetune/training_state.ts";
import { numbers, smallModel } from "../engine/small_models.ts";

const { config, weights } = smallModel();
const tune = { kind: "last", blocks: 0 } as const;
const PROGRESS = {
  fingerprint: "x",
  tune,
  epoch: 2,
  stepInEpoch: 1,
  step: 4,
  lossSum: 0.1 + 0.2,
  imageSum: 3,
  normSum: 1e-300,
  seconds: 1.5,
  records: [],
};

function progress(text: string): Map<string, Tensor> {
  const data = new TextEncoder().encode(text);
  return new Map([["progress", { dtype: "uint8", shape: [data.length], data }]]);
}

Deno.test("a state goes through tensors into another engine", async () => {
  for (const keepsAverage of [false, true]) {
    const options = { tune, batchSize: 1, keepsAverage };
    using engine = await TrainingEngine.start(config, weights, options);
    const { names } = engine.parameters;
    const vectors = ["parameters", "exp_avg", "exp_avg_sq", "average"] as const;
    const kept = vectors.slice(0, keepsAverage ? 4 : 3);
    kept.forEach((vector, v) =>
      names.forEach((name, i) =>
        engine.write(vector, name, numbers(10 * v + i + 1, engine.parameters.get(name)!.size))
      )
    );
    const best = keepsAverage
      ? new Map(names.map((name) => [name, engine.read("exp_avg", name)]))
      : undefined;
    const state = finetuneStateOfTensors(
      finetuneStateToTensors(readState(engine, keepsAverage, best, PROGRESS)),
    );
    assertEquals(state.progress, PROGRESS);
    using other = await TrainingEngine.start(config, weights, options);
    assertEquals(await restoreState(other, keepsAverage, state), best);
    for (const vector of kept) {
      for (const name of names) {
        assertEquals(other.read(vector, name), engine.read(vector, name), `${vector}.${name}`);
      }
    }
  }
});

Deno.test("a state without a tensor, or with one of another size, is not restored", async () => {
  using engine = await TrainingEngine.start(config, weights, { tune, batchSize: 1 });
  const { progress, tensors } = readState(engine, false, undefined, PROGRESS);
  const name = "exp_avg.classifier.bias";
  const wrong: readonly (Tensor | undefined)[] = [
    undefined,
    { dtype: "float32", shape: [4], data: new Float32Array(4) },
    { dtype: "uint8", shape: [5], data: new Uint8Array(5) },
  ];
  for (const tensor of wrong) {
    const changed = new Map(tensors);
    if (tensor) changed.set(name, tensor);
    else changed.delete(name);
    await assertRejects(
      () => restoreState(engine, false, { progress, tensors: changed }),
      TypeError,
      `Cannot resume: ${name} is missing or has another size`,
    );
  }
});

for (
  const [what, tensors, message] of [
    ["nothing", new Map(), "it is no state of a training"],
    ["progress that is cut", progress('{"epoch":'), "its progress is not JSON"],
    ["no object", progress("null"), "its progress is incomplete"],
    ["an empty object", progress("{}"), "its progress is incomplete"],
    ...["fingerprint", "epoch", "stepInEpoch", "step", "lossSum", "imageSum", "seconds", "records"]
      .map((name) =>
        [
          `no ${name}`,
          progress(JSON.stringify({ ...PROGRESS, [name]: undefined })),
          "its progress is incomplete",
        ] as const
      ),
    ["epoch 0", progress(JSON.stringify({ ...PROGRESS, epoch: 0 })), "its progress is incomplete"],
    ["half a step", progress(JSON.stringify({ ...PROGRESS, step: 0.5 })), "is incomplete"],
    ["step -1", progress(JSON.stringify({ ...PROGRESS, stepInEpoch: -1 })), "is incomplete"],
  ] as const
) {
  Deno.test(`finetuneStateOfTensors() rejects ${what}`, () => {
    assertThrows(() => finetuneStateOfTensors(tensors), TypeError, message);
  });
}
