import { l2Normalize } from "../../../src/tensor/l2_normalize.ts";
import { uniform } from "../../../src/tensor/random.ts";
import type { LabelledFeatures } from "../../../src/heads/fit/fit_options.ts";

/**
 * Features around a centre for each class: `noise` 0 makes all of a class the same, 3 hardly tells them
 * apart.
 */
export function clusters(
  counts: Readonly<Record<string, number>>,
  { size = 16, noise = 1, seed = 1 }: { size?: number; noise?: number; seed?: number } = {},
): { features: Float32Array[]; labels: string[] } {
  const normal = gaussian(seed);
  const vector = () => Float32Array.from({ length: size }, normal);
  const found: { features: Float32Array[]; labels: string[] } = { features: [], labels: [] };
  for (const [label, count] of Object.entries(counts)) {
    // A class has the same centre whatever else there is.
    const centre = Float32Array.from({ length: size }, gaussian(hash(label)));
    for (let i = 0; i < count; i++) {
      const shift = vector();
      found.features.push(l2Normalize(centre.map((x, d) => x + noise * shift[d]!)));
      found.labels.push(label);
    }
  }
  return found satisfies LabelledFeatures;
}

function hash(text: string): number {
  return [...text].reduce((sum, c) => sum * 31 + c.charCodeAt(0) | 0, 7);
}

/** Box and Muller. */
function gaussian(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
