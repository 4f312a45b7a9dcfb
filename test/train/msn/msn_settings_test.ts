import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  decideMsnSettings,
  type MsnConfig,
  type MsnContext,
} from "../../../src/train/msn/msn_settings.ts";

/** Clothing and the embedded model. */
const SMALL: MsnContext = {
  images: 3068,
  imageSize: 32,
  patchSize: 4,
  hiddenSize: 192,
  isFromScratch: false,
};
/** ImageNet and ViT-S/16. */
const LARGE: MsnContext = {
  images: 1_281_167,
  imageSize: 224,
  patchSize: 16,
  hiddenSize: 384,
  isFromScratch: true,
};

Deno.test("decideMsnSettings() decides everything for a small set and model", () => {
  const { criterion, data, meta, optimization } = decideMsnSettings({}, SMALL);
  assertEquals(criterion, {
    temperature: 0.1,
    start_sharpen: 0.25,
    final_sharpen: 0.25,
    me_max: true,
    memax_weight: 1,
    use_ent: true,
    ent_weight: 0,
    num_proto: 64,
    freeze_proto: false,
    use_sinkhorn: true,
    sinkhorn_iterations: 3,
    batch_size: 64,
  });
  assertEquals(data, {
    rand_size: 32,
    focal_size: 20,
    rand_views: 1,
    focal_views: 2,
    patch_drop: 0.25,
    color_jitter_strength: 0.5,
    blur_radius: 2 / 7,
    solarize: 0,
    label_smoothing: 0,
  });
  assertEquals(meta, { hidden_dim: 768, output_dim: 192, use_bn: true, drop_path_rate: 0 });
  const { start_lr, ...rest } = optimization;
  assertAlmostEquals(start_lr, 2e-4, 1e-18);
  assertEquals(rest, {
    clip_grad: 3,
    epochs: 33,
    warmup: 3.3,
    lr: 1e-3,
    final_lr: 1e-6,
    weight_decay: 0.04,
    final_weight_decay: 0.4,
    start_momentum: 0.99,
    final_momentum: 1,
  });
});

Deno.test("decideMsnSettings() comes to the authors' sizes for their set and model", () => {
  const { criterion, data, meta, optimization } = decideMsnSettings({}, LARGE);
  assertEquals(criterion.num_proto, 128);
  const { criterion: large } = decideMsnSettings({ criterion: { batch_size: 1024 } }, LARGE);
  assertEquals(large.num_proto, 1024);
  assertEquals(optimization.start_momentum, 0.996);
  const { rand_size, focal_size, focal_views, patch_drop } = data;
  assertEquals([rand_size, focal_size, focal_views, patch_drop], [224, 96, 4, 0.5]);
  assertEquals([meta.hidden_dim, meta.output_dim], [1536, 256]);
  const { epochs, warmup, lr, start_lr } = optimization;
  assertEquals([epochs, warmup, lr, start_lr], [5, 0.5, 1e-3, 2e-4]);
  assertEquals(decideMsnSettings({}, { ...LARGE, hiddenSize: 768 }).meta.hidden_dim, 2048);
});

Deno.test("decideMsnSettings() follows the number of images", () => {
  const decide = (images: number, isFromScratch = false) => {
    const { criterion, optimization } = decideMsnSettings({}, { ...SMALL, images, isFromScratch });
    return [criterion.batch_size, criterion.num_proto, optimization.epochs];
  };
  assertEquals(decide(2), [2, 64, 800]);
  assertEquals(decide(63), [63, 64, 800]);
  assertEquals(decide(1000), [64, 64, 100]);
  assertEquals(decide(1000, true), [64, 64, 500]);
  assertEquals(decide(128 * 192), [64, 128, 5]);
  assertEquals(decide(300 * 192), [64, 128, 5]);
  assertEquals(decide(1e7), [64, 128, 5]);
});

Deno.test("decideMsnSettings() keeps what is given, and derives the rest from it", () => {
  const { criterion, data, optimization } = decideMsnSettings({
    criterion: { me_max: false, num_proto: 3, ent_weight: 0.5 },
    data: { rand_size: 128, patch_drop: 0 },
    optimization: { lr: 1e-7, epochs: 20, final_momentum: 0.99 },
  }, SMALL);
  assertEquals([criterion.me_max, criterion.num_proto, criterion.ent_weight], [false, 3, 0.5]);
  assertEquals([data.rand_size, data.patch_drop, data.focal_views], [128, 0, 4]);
  const { epochs, warmup, start_lr, final_lr, start_momentum } = optimization;
  assertEquals([epochs, warmup, final_lr, start_momentum], [20, 2, 1e-7, 0.99]);
  assertAlmostEquals(start_lr, 2e-8, 1e-20);
});

Deno.test("decideMsnSettings() makes views of whole patches", () => {
  const sizes = (context: Partial<MsnContext>, config: MsnConfig = {}) => {
    const { data } = decideMsnSettings(config, { ...SMALL, ...context });
    return [data.rand_size, data.focal_size];
  };
  assertEquals(sizes({ imageSize: 384, patchSize: 16 }), [384, 160]);
  assertEquals(sizes({ imageSize: 224, patchSize: 7 }), [224, 98]);
  assertEquals(sizes({ imageSize: 16 }), [16, 16]);
  assertEquals(sizes({ imageSize: 35 }), [32, 20]);
  assertEquals(sizes({}, { data: { rand_size: 12 } }), [12, 12]);
});

Deno.test("decideMsnSettings() refuses settings that do not fit", () => {
  const cases: [MsnConfig, Partial<MsnContext>, string][] = [
    [{}, { images: 1 }, "there are 1 images; give at least 2"],
    [
      { criterion: { batch_size: 64 } },
      { images: 63 },
      "the batch has 64 images, the set 63; give --batch-size 63 or less, or more images",
    ],
    [
      { data: { rand_size: 30 } },
      {},
      "data.rand_size is 30, not a multiple of the model's patch size 4; give 28 or 32",
    ],
    [
      { data: { focal_size: 3 } },
      {},
      "data.focal_size is 3, not a multiple of the model's patch size 4; give 4",
    ],
    [
      { data: { patch_drop: 0.99 } },
      {},
      "data.patch_drop 0.99 leaves none of 64 patches; lower it",
    ],
    [
      { optimization: { start_lr: 0.01 } },
      {},
      "optimization.start_lr is 0.01, more than the peak optimization.lr 0.001",
    ],
    [
      { optimization: { final_lr: 0.01 } },
      {},
      "optimization.final_lr is 0.01, more than the peak optimization.lr 0.001",
    ],
    [
      { optimization: { start_momentum: 0.9, final_momentum: 0.8 } },
      {},
      "optimization.start_momentum is 0.9, more than optimization.final_momentum 0.8",
    ],
  ];
  for (const [config, context, message] of cases) {
    const decide = () => decideMsnSettings(config, { ...SMALL, ...context });
    assertThrows(decide, RangeError, `Cannot pre-train: ${message}`);
  }
});

Deno.test("decideMsnSettings() allows what just fits", () => {
  const context = { ...SMALL, images: 64 };
  decideMsnSettings({ criterion: { batch_size: 64 }, data: { patch_drop: 0.984375 } }, context);
  decideMsnSettings({ optimization: { start_lr: 1e-3, lr: 1e-3, final_lr: 1e-3 } }, context);
  // There is no focal view whose size could be wrong.
  decideMsnSettings({ data: { focal_views: 0, focal_size: 3 } }, context);
});
