import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { MsnConfig } from "../../../src/train/msn/msn_settings.ts";
import type { PretrainDataset, PretrainRecord } from "../../../src/train/msn/pretrain_events.ts";
import { noise } from "../augmentation/noise.ts";
import { runPretrain } from "./pretrain_run.ts";

/** Images of noise, whose crops tell little. */
function dataset(): PretrainDataset {
  const images = Array.from({ length: 32 }, (_, i) => noise(16, 16, i + 1));
  return { labels: images.map(() => undefined), image: (i) => images[i]! };
}

/** A record every 20 epochs of 60. */
async function recordsOf(config: MsnConfig, seed: number): Promise<readonly PretrainRecord[]> {
  const options = { config, seed, recordEvery: 640 };
  const { records, result } = await runPretrain(options, dataset());
  assertEquals([result.stopped, records.length], [undefined, 4]);
  return records;
}

const criterion = { batch_size: 16, num_proto: 16 };
const epochs = 60;

Deno.test("without what spreads targets over prototypes, pre-training collapses, and an alarm says so", async () => {
  for (const seed of [1, 2]) {
    const records = await recordsOf({
      criterion: { ...criterion, me_max: false, use_sinkhorn: false },
      data: { color_jitter_strength: 0, patch_drop: 0, focal_views: 0 },
      optimization: { epochs, lr: 3e-3, start_momentum: 0.9 },
    }, seed);
    assertEquals(records[0]!.alarm, undefined);
    const { alarm } = records.at(-1)!;
    assert(alarm !== undefined, `${records.map(({ prototypesInUse }) => prototypesInUse)}`);
    assertStringIncludes(alarm, "collapsed");
    assertStringIncludes(alarm, "; turn on criterion.me_max and turn on criterion.use_sinkhorn");
  }
});

Deno.test("with MSN's defaults, the same images raise no alarm", async () => {
  for (const seed of [1, 2]) {
    const records = await recordsOf({ criterion, optimization: { epochs } }, seed);
    assertEquals(records.map(({ alarm }) => alarm), Array(4).fill(undefined));
    assert(records.at(-1)!.prototypesInUse! > 4, `${records.at(-1)!.prototypesInUse}`);
  }
});
