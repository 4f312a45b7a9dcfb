import { assertEquals, assertMatch } from "@std/assert";
import { chooseTune } from "../../../src/train/finetune/choose_tune.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";

const config = parseConfig({ model_type: "vit_msn", image_size: 224, patch_size: 16 });
const evidence = {
  config,
  images: 1000,
  classes: 10,
  imagesSeen: 20_000,
  forwardRate: 100,
  timeLimit: 1800,
};

for (
  const [what, changes, tune, reason] of [
    ["few images", { images: 39 }, { kind: "head" }, /^3\.9 photos a class are too few/],
    ["time enough", {}, { kind: "all" }, /^100 photos a class, about 11 min$/],
    [
      "time for the last blocks",
      { forwardRate: 20 },
      { kind: "last", blocks: 2 },
      /all blocks would take 55 min, the last 2 about \d+ min$/,
    ],
    [
      "time for nothing",
      { forwardRate: 1 },
      { kind: "head" },
      /^all blocks would take 1100 min and the last 2 \d+ min, the limit is 30 min$/,
    ],
    ["exactly four a class", { images: 40 }, { kind: "all" }, /^4\.0 photos a class/],
    ["exactly the time", { timeLimit: 660 }, { kind: "all" }, /about 11 min$/],
  ] as const
) {
  Deno.test(`chooseTune() with ${what} is ${tune.kind}`, () => {
    const choice = chooseTune({ ...evidence, ...changes });
    assertEquals(choice.tune, tune);
    assertMatch(choice.reason, reason);
  });
}

Deno.test("the last blocks are no more than there are", () => {
  const single = { ...config, numHiddenLayers: 1 };
  const { tune, reason } = chooseTune({ ...evidence, config: single, forwardRate: 36 });
  assertEquals(tune, { kind: "head" });
  assertMatch(reason, /and the last 1 \d+ min/);
});
