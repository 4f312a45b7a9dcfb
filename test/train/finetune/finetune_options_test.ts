import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  decideSettings,
  type FinetuneOptions,
} from "../../../src/train/finetune/finetune_options.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import type { TuneMode } from "../../../src/train/tune.ts";

const config = parseConfig({ model_type: "vit_msn" });
const ALL = { kind: "all" } as const;
const LAST = { kind: "last", blocks: 2 } as const;
const decided = (options: FinetuneOptions = {}, tune: TuneMode = ALL, images = 1000, width = 192) =>
  decideSettings(options, tune, images, { ...config, hiddenSize: width });

Deno.test("the epochs see 20,000 images, within bounds", () => {
  const cases = [[10, 40], [500, 40], [501, 40], [1000, 20], [3000, 7], [5000, 6], [1e6, 6]];
  for (const [images, epochs] of cases) {
    assertEquals(decided({}, ALL, images).epochs, epochs, `${images} images`);
  }
  assertEquals(decided({ epochs: 3 }).epochs, 3);
});

Deno.test("a batch is no larger than the images", () => {
  assertEquals([decided().batchSize, decided({}, ALL, 5).batchSize], [32, 5]);
  assertEquals(decided({ batchSize: 64 }, ALL, 50).batchSize, 50);
});

Deno.test("wide models learn slower, adapters faster", () => {
  assertEquals(decided().learningRate, 1e-3);
  assertAlmostEquals(decided({}, ALL, 9, 384).learningRate, 5e-4, 1e-12);
  assertEquals(decided({}, ALL, 9, 64).learningRate, 1e-3);
  assertEquals(decided({}, { kind: "lora", rank: 4, alpha: 8 }).learningRate, 3e-3);
  assertEquals(decided({ learningRate: 0 }).learningRate, 0);
});

Deno.test("views are cached only below blocks that are frozen, where pixels stay", () => {
  assertEquals(decided({}, LAST).cachedViews, 3);
  assertEquals(decided({ cachedViews: 0 }, LAST).cachedViews, 0);
  assertEquals(decided({ cachedViews: 5 }).cachedViews, 0);
  for (const options of [{ mixup: 1 }, { cutmix: 0.1 }, { keepPatches: 0.9 }]) {
    assertEquals(decided(options, LAST).cachedViews, 0, JSON.stringify(options));
  }
});

Deno.test("all options are settings", () => {
  const options = {
    epochs: 2,
    batchSize: 3,
    learningRate: 0.1,
    layerDecay: 0.2,
    weightDecay: 0.3,
    warmup: 0.4,
    labelSmoothing: 0.5,
    mixup: 0.6,
    cutmix: 0.7,
    randomErasing: 0.8,
    randAugment: true,
    cropScale: 0.9,
    mirror: false,
    dropPath: 0.11,
    keepPatches: 0.12,
    emaDecay: 0.13,
    classWeight: "balanced",
    earlyStopping: 4,
    clip: 5,
    seed: 6,
  } as const;
  assertEquals(decided(options), { ...options, tune: ALL, cachedViews: 0 });
});
