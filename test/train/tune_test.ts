import { assertEquals } from "@std/assert";
import {
  adaptedWeights,
  adapterNames,
  learningShapes,
  lowestBlock,
  type TuneMode,
} from "../../src/train/tune.ts";
import { smallModel } from "./engine/small_models.ts";

const { config, weights } = smallModel();
const names = (tune: TuneMode, masks = false) => [
  ...learningShapes(weights, config, tune, { masks }).keys(),
];

Deno.test("all that learns is all weights; the mask token only where patches are masked", () => {
  const all = [...weights.keys()];
  assertEquals(names({ kind: "all" }, true), all);
  assertEquals(names({ kind: "all" }), all.filter((name) => name !== "embeddings.mask_token"));
});

Deno.test("the last blocks learn with the LayerNorm and the classifier that follow", () => {
  for (const [blocks, lowest] of [[0, 3], [1, 2], [2, 1], [3, 0], [9, 0]] as const) {
    const tune = { kind: "last", blocks } as const;
    assertEquals(lowestBlock(tune, config), lowest);
    const learns = (name: string) =>
      name.startsWith("encoder.layer.")
        ? Number(name.split(".")[2]) >= lowest
        : !name.startsWith("embeddings.");
    assertEquals(names(tune, true), [...weights.keys()].filter(learns));
  }
});

Deno.test("LoRA learns two matrices for each query and value, and the classifier", () => {
  const shapes = learningShapes(weights, config, { kind: "lora", rank: 3, alpha: 1 }, {
    masks: true,
  });
  const layer = "encoder.layer.1.attention.attention.value";
  assertEquals(adapterNames(`${layer}.weight`), {
    a: `${layer}.lora_A.weight`,
    b: `${layer}.lora_B.weight`,
  });
  assertEquals(shapes.get(`${layer}.lora_A.weight`), [3, 20]);
  assertEquals(shapes.get(`${layer}.lora_B.weight`), [20, 3]);
  assertEquals(adaptedWeights(config).length, 2 * 3);
  assertEquals(shapes.size, 2 * 2 * 3 + 2);
  assertEquals(lowestBlock({ kind: "lora", rank: 3, alpha: 1 }, config), 0);
});
