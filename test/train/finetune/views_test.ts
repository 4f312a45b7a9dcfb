import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { ViTImageProcessor } from "../../../src/preprocess/vit_image_processor.ts";
import {
  decideSettings,
  type FinetuneOptions,
} from "../../../src/train/finetune/finetune_options.ts";
import type { TrainingSet } from "../../../src/train/training_set.ts";
import { Views } from "../../../src/train/finetune/views.ts";
import { noise, smallModelFile } from "./small_training.ts";

const { config, preprocessorConfig } = smallModelFile();

function views(options: FinetuneOptions = {}, set: TrainingSet = noise(3)): Views {
  const settings = decideSettings(options, { kind: "all" }, 3, config);
  return new Views(set, settings, config, new ViTImageProcessor(preprocessorConfig));
}

Deno.test("a view depends on the seed, the epoch and the image alone", async () => {
  const first = await views().pixelsOf(1, 2);
  assertEquals(first.length, 3 * 16 * 16);
  assert(first.every(Number.isFinite));
  const made = views();
  await made.pixelsOf(0, 7);
  assertEquals(await made.pixelsOf(1, 2), first);
  assertNotEquals(await made.pixelsOf(1, 3), first);
  assertNotEquals(await made.pixelsOf(0, 2), first);
  assertNotEquals(await views({ seed: 1 }).pixelsOf(1, 2), first);
});

Deno.test("each setting of views changes them", async () => {
  const first = await views().pixelsOf(1, 2);
  for (const options of [{ randAugment: true }, { randomErasing: 1 }, { cropScale: 0.05 }]) {
    assertNotEquals(await views(options).pixelsOf(1, 2), first, JSON.stringify(options));
  }
});

Deno.test("images are mirrored half the time, unless they may not be", async () => {
  const ramp = Uint8Array.from({ length: 768 }, (_, i) => 16 * (Math.floor(i / 3) % 16));
  const set = { labels: [0], image: () => ({ width: 16, height: 16, data: ramp }) };
  for (const [mirror, least, most] of [[true, 60, 140], [false, 0, 0]] as const) {
    const made = views({ mirror }, set);
    let mirrored = 0;
    for (let epoch = 0; epoch < 200; epoch++) {
      const pixels = await made.pixelsOf(0, epoch);
      mirrored += Number(pixels[0]! > pixels[15]!);
    }
    assert(mirrored >= least && mirrored <= most, `${mirrored} of 200`);
  }
});

Deno.test("a view of an image that cannot be read is an error that names it", async () => {
  const image = () => Promise.reject(new Error("a.png: no such file"));
  const made = views({}, { labels: [0], image });
  await assertRejects(() => made.pixelsOf(0, 0), Error, "a.png: no such file");
});
