import { concat } from "@std/bytes/concat";
import type { RawImage } from "../../../src/image/raw_image.ts";
import type { TrainingSet } from "../../../src/train/training_set.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { type ModelFile, readModelFile, writeModelFile } from "../../../src/vit_msn/model_file.ts";
import { uniform } from "../../random.ts";
import { randomWeights } from "../../vit_msn/random_weights.ts";

/** A `config.json` of a model that trains in no time: two blocks, four patches. */
const SMALL_CONFIG = {
  model_type: "vit_msn",
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 8,
  image_size: 16,
  patch_size: 8,
};

/** A small backbone. */
export function smallModelFile(): ModelFile {
  const weights = randomWeights(parseConfig(SMALL_CONFIG), { classifier: false });
  return readModelFile(concat(writeModelFile(SMALL_CONFIG, { size: 16 }, weights, "f32")));
}

/** Images of nothing but noise. */
export function noise(count: number, { classes = 2, seed = 1 } = {}): TrainingSet {
  const labels = Array.from({ length: count }, (_, i) => i % classes);
  const random = uniform(seed);
  const images = labels.map((): RawImage => ({
    width: 20,
    height: 18,
    data: Uint8Array.from({ length: 3 * 20 * 18 }, () => 256 * random()),
  }));
  return { labels, image: (index) => images[index]! };
}
