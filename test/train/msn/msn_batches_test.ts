import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { ViTImageProcessor } from "../../../src/preprocess/vit_image_processor.ts";
import { MsnBatches } from "../../../src/train/msn/msn_batches.ts";
import { decideMsnSettings, type MsnConfig } from "../../../src/train/msn/msn_settings.ts";
import { MsnViews } from "../../../src/train/msn/msn_views.ts";
import type { PretrainDataset } from "../../../src/train/msn/pretrain_events.ts";
import { datasetOf, knobs, modelOf } from "./pretrain_run.ts";

const { config, preprocessorConfig } = modelOf();
const processor = new ViTImageProcessor(preprocessorConfig);

function settingsOf(changes: MsnConfig, images: number) {
  return decideMsnSettings(knobs(changes), {
    images,
    imageSize: 16,
    patchSize: 4,
    hiddenSize: 16,
    isFromScratch: false,
  });
}

/** Batches of 4 of 14 images: 3 steps an epoch, of which two images have no part in each epoch. */
function batchesOf(changes: MsnConfig = {}, { dataset = datasetOf(14), seed = 0 } = {}) {
  const settings = settingsOf(changes, dataset.labels.length);
  return new MsnBatches(dataset, settings, config, processor, seed);
}

/** A set of images that notes which were read. */
function noted(dataset: PretrainDataset): { dataset: PretrainDataset; read: number[] } {
  const read: number[] = [];
  const image = (index: number) => {
    read.push(index);
    return dataset.image(index);
  };
  return { dataset: { ...dataset, image }, read };
}

Deno.test("a batch has the views of its images, a view after the other", async () => {
  const { dataset, read } = noted(datasetOf(14));
  const changes = { data: { rand_views: 2, focal_views: 3 } };
  const batches = batchesOf(changes, { dataset });
  assertEquals(batches.stepsPerEpoch, 3);
  const { batch, problems } = await batches.prepare(4); // the first of the second epoch
  assertEquals(problems, []);
  const [random, focal] = [3 * 16 * 16, 3 * 8 * 8];
  assertEquals(
    [batch.target.length, batch.random.length, batch.focal.length],
    [4 * random, 2 * 4 * random, 3 * 4 * focal],
  );
  const views = new MsnViews({ ...settingsOf(changes, 14).data, seed: 0 }, processor);
  assertEquals(read.length, 4);
  for (const [b, index] of read.slice().entries()) {
    const own = views.pixelsOf(await dataset.image(index), index, 2);
    const at = (data: Float32Array, row: number, size: number) =>
      data.slice(row * size, (row + 1) * size);
    assertEquals(at(batch.target, b, random), own.target);
    own.random.forEach((view, v) => assertEquals(at(batch.random, 4 * v + b, random), view));
    own.focal.forEach((view, v) => assertEquals(at(batch.focal, 4 * v + b, focal), view));
  }
});

Deno.test("an epoch has each image once at most, in an order of its own", async () => {
  const { dataset, read } = noted(datasetOf(14));
  const batches = batchesOf({}, { dataset });
  for (let step = 1; step <= 6; step++) await batches.prepare(step);
  const epochs = [read.slice(0, 12), read.slice(12)];
  for (const epoch of epochs) assertEquals([epoch.length, new Set(epoch).size], [12, 12]);
  assertNotEquals(epochs[0], epochs[1]);
});

Deno.test("a batch depends on the seed and the step alone, not on what was made before", async () => {
  const changes = { meta: { drop_path_rate: 0.5 } };
  const batches = batchesOf(changes);
  const first = await batches.prepare(5);
  await batches.prepare(1);
  assertEquals(await batches.prepare(5), first);
  assertEquals(await batchesOf(changes).prepare(5), first);
  const other = await batchesOf(changes, { seed: 1 }).prepare(5);
  for (const { batch } of [await batches.prepare(4), await batches.prepare(2), other]) {
    assertNotEquals(batch.target, first.batch.target);
    assertNotEquals(batch.keptPatches, first.batch.keptPatches);
    assertNotEquals(batch.branchScale, first.batch.branchScale);
  }
});

Deno.test("all random anchors of a batch keep the same patches", async () => {
  for (
    const [data, anchors, kept] of [
      [{ patch_drop: 0.25, rand_views: 2, focal_views: 3 }, 8, 12],
      [{ patch_drop: 0.5, focal_views: 2, focal_size: 16 }, 12, 8],
      [{ patch_drop: 0.5, focal_views: 0 }, 4, 8],
      [{ patch_drop: 0.93, focal_views: 0 }, 4, 1],
    ] as const
  ) {
    const batches = batchesOf({ data });
    assertEquals(batches.keptPatches, kept);
    const { batch: { keptPatches } } = await batches.prepare(1);
    assertEquals(keptPatches!.length, anchors * kept);
    const first = keptPatches!.slice(0, kept);
    assert(first.every((patch) => patch >= 0 && patch < 16));
    assertEquals(new Set(first).size, kept);
    for (let i = 0; i < anchors; i++) {
      assertEquals(keptPatches!.slice(i * kept, (i + 1) * kept), first);
    }
  }
  const whole = batchesOf({ data: { patch_drop: 0 } });
  assertEquals((await whole.prepare(1)).batch.keptPatches, undefined);
});

Deno.test("stochastic depth leaves out branches of the last block, and scales the others", async () => {
  assertEquals((await batchesOf().prepare(1)).batch.branchScale, undefined);
  const batches = batchesOf({ meta: { drop_path_rate: 0.5 }, data: { focal_views: 3 } });
  const late: number[] = [];
  for (let step = 1; step <= 20; step++) {
    const { random, focal } = (await batches.prepare(step)).batch.branchScale!;
    assertEquals([random.length, focal.length], [2 * 2 * 4, 2 * 2 * 12]);
    assert(focal.slice(0, 2 * 12).every((x) => x === 1));
    late.push(...random.slice(2 * 4), ...focal.slice(2 * 12));
  }
  assertEquals([...new Set(late)].sort(), [0, 2]);
  assertAlmostEquals(late.filter((x) => x === 0).length / late.length, 0.5, 0.08);
});

Deno.test("another image of the batch takes the place of one that cannot be read", async () => {
  const dataset = datasetOf(14);
  const { dataset: whole, read } = noted(dataset);
  const { batch } = await batchesOf({}, { dataset: whole }).prepare(1);
  const image = (index: number) => {
    if (index === read[1]) throw new Error(`${index}.jpg: gone`);
    if (index === read[2]) return Promise.reject(new Error(`${index}.jpg: broken`));
    return dataset.image(index);
  };
  const prepared = await batchesOf({}, { dataset: { ...dataset, image } }).prepare(1);
  assertEquals(
    prepared.problems.toSorted(),
    [
      `${read[1]}.jpg: gone`,
      `${read[2]}.jpg: broken`,
    ].sort(),
  );
  const size = 3 * 16 * 16;
  const rows = (data: Float32Array) =>
    Array.from({ length: 4 }, (_, b) => data.slice(b * size, (b + 1) * size));
  const [a, , , d] = rows(batch.target);
  assertEquals(rows(prepared.batch.target)[0], a);
  assertEquals(rows(prepared.batch.target)[3], d);
  for (const row of rows(prepared.batch.target)) {
    assert([a, d].some((own) => own!.every((x, i) => x === row[i])));
  }
});

Deno.test("a batch of which nothing can be read is an error that says why", async () => {
  const image = () => Promise.reject(new Error("cat.jpg: gone"));
  const batches = batchesOf({}, { dataset: { ...datasetOf(14), image } });
  await assertRejects(() => batches.prepare(1), Error, "Cannot pre-train: cat.jpg: gone");
});
