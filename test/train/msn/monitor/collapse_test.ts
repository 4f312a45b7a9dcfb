import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  collapseAlarm,
  type CollapseSettings,
} from "../../../../src/train/msn/monitor/collapse.ts";
import type { PretrainMonitorRecord } from "../../../../src/train/msn/monitor/monitor_record.ts";
import { PrototypeUsage } from "../../../../src/train/msn/monitor/prototype_usage.ts";

const SETTINGS = {
  criterion: { me_max: true, memax_weight: 1, use_sinkhorn: true, batch_size: 64 },
  optimization: { lr: 2e-4 },
  data: { color_jitter_strength: 0.5, patch_drop: 0.25, focal_views: 2 },
};

const FIRST: PretrainMonitorRecord = {
  step: 0,
  images: 0,
  effectiveRank: 32,
  largestRank: 191,
  featureSimilarity: 0.98,
};

function later(changes: Partial<PretrainMonitorRecord>): PretrainMonitorRecord {
  const usage = {
    prototypes: 1024,
    targets: 6400,
    prototypesInUse: 700,
    targetEntropy: 2,
    targetEntropyShare: 0.3,
    meanTargetProbability: 0.4,
  };
  return { ...FIRST, ...usage, step: 100, images: 6400, ...changes };
}

function alarm(
  changes: Partial<PretrainMonitorRecord>,
  first: Partial<PretrainMonitorRecord> = {},
  settings: CollapseSettings = SETTINGS,
): string | undefined {
  return collapseAlarm(later(changes), { ...FIRST, ...first }, settings);
}

/** The advice for a collapse. */
function advice(changes: { [K in keyof CollapseSettings]?: Partial<CollapseSettings[K]> }): string {
  const settings = {
    criterion: { ...SETTINGS.criterion, ...changes.criterion },
    optimization: { ...SETTINGS.optimization, ...changes.optimization },
    data: { ...SETTINGS.data, ...changes.data },
  };
  return alarm({ effectiveRank: 1 }, {}, settings)!.split("; ")[1]!;
}

Deno.test("a run that learns, or stays as it is, is no alarm", () => {
  assertEquals(alarm({}), undefined);
  assertEquals(alarm({ effectiveRank: 60, featureSimilarity: 0.3 }), undefined);
  assertEquals(alarm({ effectiveRank: 8 }), undefined, "a quarter of the first rank");
  assertEquals(alarm({ featureSimilarity: 0.985 }), undefined);
});

Deno.test("the first measurement is no alarm, however bad", () => {
  const bad = later({ effectiveRank: 1, featureSimilarity: 1, prototypesInUse: 1 });
  assertEquals(collapseAlarm(bad, undefined, SETTINGS), undefined);
  assertEquals(collapseAlarm(bad, bad, SETTINGS), undefined);
});

Deno.test("a rank below a quarter of the first, below 2 or a hundredth is an alarm", () => {
  assertMatch(
    alarm({ effectiveRank: 7.9 })!,
    /effective rank is 7\.9 of at most 191, 32\.0 at the start/,
  );
  assert(alarm({ effectiveRank: 1.99 }, { effectiveRank: 3 }));
  assertEquals(alarm({ effectiveRank: 2 }, { effectiveRank: 3 }), undefined);
  assert(alarm({ effectiveRank: 9.9, largestRank: 1000 }, { effectiveRank: 20 }));
  assertEquals(alarm({ effectiveRank: 10, largestRank: 1000 }, { effectiveRank: 20 }), undefined);
});

Deno.test("what is no worse than the first measurement is an alarm only if nothing is left", () => {
  assertEquals(alarm({ effectiveRank: 5, largestRank: 1000 }, { effectiveRank: 5 }), undefined);
  assert(alarm({ effectiveRank: 1.2 }, { effectiveRank: 1.2 }));
  assertEquals(alarm({ featureSimilarity: 0.999 }, { featureSimilarity: 0.999 }), undefined);
  assertEquals(alarm({ prototypesInUse: 9 }, { prototypesInUse: 9 }), undefined);
  assert(alarm({ prototypesInUse: 1 }, { prototypesInUse: 1 }));
});

Deno.test("with few images, a low rank alone says nothing", () => {
  const few = { largestRank: 3 };
  assertEquals(alarm({ ...few, effectiveRank: 1.6 }, { ...few, effectiveRank: 1.9 }), undefined);
});

Deno.test("similar features are an alarm if they have come nearer", () => {
  assertMatch(
    alarm({ featureSimilarity: 0.9912 })!,
    /mean similarity is 0\.9912, 0\.9800 at the start/,
  );
  assertEquals(alarm({ featureSimilarity: 0.989 }, { featureSimilarity: 0.2 }), undefined);
  assertEquals(alarm({ featureSimilarity: 0.9994 }, { featureSimilarity: 0.999 }), undefined);
  assert(alarm({ featureSimilarity: 0.9996 }, { featureSimilarity: 0.999 }));
  assert(alarm({ featureSimilarity: 1 }, { featureSimilarity: 0.9999 }));
});

Deno.test("prototypes that are not in use are an alarm if there were targets for them", () => {
  assertMatch(alarm({ prototypesInUse: 20 })!, /^Prototypes .* 6400 targets use 20 of 1024;/);
  assertEquals(alarm({ prototypesInUse: 21 }), undefined);
  assertEquals(alarm({ prototypesInUse: 2, targets: 100 }), undefined);
  assert(alarm({ prototypesInUse: 1, targets: 50 }));
  assertEquals(alarm({ prototypesInUse: 1, targets: 49 }), undefined);
  assert(alarm({ prototypes: 16, prototypesInUse: 1 }));
  assertEquals(alarm({ prototypes: 16, prototypesInUse: 2 }), undefined);
  assertEquals(collapseAlarm({ ...FIRST, step: 1 }, FIRST, SETTINGS), undefined);
});

Deno.test("the report of the prototypes' use is part of a record, if there is one", () => {
  const usage = new PrototypeUsage();
  const record = (): PretrainMonitorRecord => ({ ...FIRST, ...usage.report(), step: 1 });
  assertEquals(record(), { ...FIRST, step: 1 });
  for (let i = 0; i < 50; i++) usage.add(Float32Array.of(0, 1, 0), 3);
  assertMatch(collapseAlarm(record(), FIRST, SETTINGS)!, /50 targets use 1 of 3/);
});

Deno.test("the advice depends on the settings", () => {
  assertEquals(advice({ criterion: { me_max: false } }), "turn on criterion.me_max");
  assertEquals(
    advice({ criterion: { me_max: false, use_sinkhorn: false, batch_size: 2 } }),
    "turn on criterion.me_max and turn on criterion.use_sinkhorn",
  );
  assertEquals(
    advice({ criterion: { memax_weight: 0.1 } }),
    "raise criterion.memax_weight from 0.1 to 1",
  );
  assertEquals(advice({ criterion: { use_sinkhorn: false } }), "turn on criterion.use_sinkhorn");
  assertMatch(
    advice({ data: { color_jitter_strength: 0, patch_drop: 0, focal_views: 0 } }),
    /^make views differ/,
  );
  assertEquals(
    advice({ optimization: { lr: 0.01 } }),
    "lower optimization.lr from 0.01 to 0.00025 or less",
  );
  assertEquals(
    advice({ criterion: { batch_size: 4 }, optimization: { lr: 1e-5 } }),
    "raise criterion.batch_size from 4 to 64 or more",
  );
  assertEquals(
    advice({ criterion: { batch_size: 4096 }, optimization: { lr: 2e-3 } }),
    "lower optimization.lr from 0.002 to 0.001 or less",
  );
  assertEquals(
    advice({}),
    "lower optimization.lr from 0.0002 to 0.0001 and raise criterion.memax_weight",
  );
});
