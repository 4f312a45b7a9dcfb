import { assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import type { PretrainRecord } from "../../../src/train/msn/pretrain_events.ts";
import {
  type PretrainState,
  pretrainStateOfTensors,
  pretrainStateToTensors,
} from "../../../src/train/msn/pretrain_state.ts";
import { throughFile } from "./pretrain_run.ts";

const RECORD: PretrainRecord = {
  step: 0,
  images: 0,
  epoch: 1,
  epochs: 2,
  effectiveRank: 3.25,
  largestRank: 7,
  featureSimilarity: 0.1,
  seconds: 0.5,
};

const STATE: PretrainState = {
  progress: {
    fingerprint: "a",
    step: 3,
    sums: { steps: 1, loss: 0.1 + 0.2, crossEntropy: 1, meMax: 0, entropy: 2, norm: 3, seconds: 4 },
    usage: { prototypes: 6, targets: 4, entropy: 1 / 3, largest: 2, used: [1, 5] },
    seconds: 7,
    records: [RECORD],
  },
  tensors: new Map<string, Tensor>([
    ["parameters.a", { dtype: "float32", shape: [2], data: Float32Array.of(0.1, -0) }],
  ]),
};

Deno.test("a state comes back from a file as it was", () => {
  const { progress, tensors } = throughFile(STATE);
  assertEquals(progress, STATE.progress);
  assertEquals(tensors.get("parameters.a"), STATE.tensors.get("parameters.a"));
});

Deno.test("figures that are not finite come back as NaN", () => {
  const record = { ...RECORD, effectiveRank: NaN, gradientNorm: Infinity };
  const { progress } = throughFile({
    ...STATE,
    progress: { ...STATE.progress, records: [record] },
  });
  assertEquals(progress.records, [{ ...record, gradientNorm: NaN }]);
});

Deno.test("what is no state of a pre-training is refused", () => {
  const tensors = pretrainStateToTensors(STATE);
  const withProgress = (text: string): Map<string, Tensor> => {
    const data = new TextEncoder().encode(text);
    return new Map([...tensors, ["msn_progress", { dtype: "uint8", shape: [data.length], data }]]);
  };
  const changed = (changes: Record<string, unknown>) =>
    withProgress(JSON.stringify({ ...STATE.progress, ...changes }));
  const { sums } = STATE.progress;
  const incomplete = "Cannot resume: its progress is incomplete";
  const wrong: [Map<string, Tensor>, string][] = [
    [new Map(), "Cannot resume: it is no state of a pre-training"],
    [
      new Map([["msn_progress", { dtype: "float32", shape: [0], data: new Float32Array() }]]),
      "Cannot resume: it is no state of a pre-training",
    ],
    [withProgress("{"), "Cannot resume: its progress is not JSON"],
    [withProgress("null"), incomplete],
    [withProgress("[]"), incomplete],
    [withProgress('"text"'), incomplete],
    [changed({ fingerprint: 1 }), incomplete],
    [changed({ step: -1 }), incomplete],
    [changed({ step: 1.5 }), incomplete],
    [changed({ seconds: null }), incomplete],
    [changed({ usage: null }), incomplete],
    [changed({ usage: undefined }), incomplete],
    [changed({ records: {} }), incomplete],
    [changed({ records: [1] }), incomplete],
    [changed({ records: [null] }), incomplete],
    [changed({ sums: null }), incomplete],
    [changed({ sums: { ...sums, loss: "1" } }), incomplete],
    [changed({ sums: { ...sums, loss: undefined } }), incomplete],
    [changed({ sums: { ...sums, norm: NaN } }), incomplete],
  ];
  for (const [i, [own, message]] of wrong.entries()) {
    assertThrows(() => pretrainStateOfTensors(own), TypeError, message, `${i}`);
  }
});
