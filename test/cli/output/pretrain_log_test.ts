import { assertEquals } from "@std/assert";
import { pretrainRecordJson } from "../../../src/cli/output/pretrain_log.ts";
import { appendRecord } from "../../../src/cli/output/training_log.ts";
import type { PretrainRecord } from "../../../src/train/msn/pretrain_events.ts";
import { TempFolder } from "../run.ts";
import { pretrainRecords } from "./pretrain_records.ts";

const [untrained, trained] = pretrainRecords(1) as [PretrainRecord, PretrainRecord];
const alarm = 'Features have collapsed: "rank" 1.2\nof 191';

Deno.test("a line of a log has all figures of a record, the epoch first", () => {
  const json = pretrainRecordJson({ ...trained, alarm });
  assertEquals(Object.entries(json), [
    ["epoch", 1],
    ["epochs", 1],
    ["step", 60],
    ["images", 3840],
    ["loss", trained.loss],
    ["cross_entropy", trained.crossEntropy],
    ["me_max", trained.meMax],
    ["entropy", 3.5],
    ["knn_accuracy", trained.knnAccuracy],
    ["guessing", 0.125],
    ["effective_rank", 62],
    ["largest_rank", 191],
    ["feature_similarity", trained.featureSimilarity],
    ["prototypes_in_use", 900],
    ["prototypes", 1024],
    ["target_entropy", 2],
    ["mean_target_probability", 0.6],
    ["learning_rate", 0],
    ["weight_decay", 0.39999999999999997],
    ["momentum", 1],
    ["gradient_norm", 1],
    ["images_per_s", 41.3],
    ["seconds", 93],
    ["alarm", alarm],
  ]);
});

Deno.test("before the first step, and without labels, figures are absent", () => {
  const { knnAccuracy: _, guessing: __, ...unlabelled } = untrained;
  const names = ["epoch", "epochs", "step", "images"];
  const features = ["effective_rank", "largest_rank", "feature_similarity", "seconds"];
  assertEquals(Object.keys(pretrainRecordJson(unlabelled)), [...names, ...features]);
  assertEquals(pretrainRecordJson(untrained).knn_accuracy, 0.31);
});

Deno.test("figures that are not finite are null, and 0 is a figure", () => {
  const diverged = { ...trained, loss: NaN, gradientNorm: Infinity, effectiveRank: NaN, meMax: 0 };
  const { loss, gradient_norm, effective_rank, me_max } = pretrainRecordJson(diverged);
  assertEquals([loss, gradient_norm, effective_rank, me_max], [null, null, null, 0]);
});

Deno.test("records are lines of a log, which is repaired as one of fine-tuning", async () => {
  using folder = new TempFolder();
  const path = folder.write("run.jsonl", '{"epoch":1,"st');
  await appendRecord(path, pretrainRecordJson(untrained));
  await appendRecord(path, pretrainRecordJson({ ...trained, alarm }));
  const lines = Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines, [untrained, { ...trained, alarm }].map(pretrainRecordJson));
});
