import { l2Normalize } from "../../src/tensor/l2_normalize.ts";
import { uniform } from "../random.ts";

/** Vectors of length 1 in clusters, as embeddings are. */
export function clustered(count: number, dimension: number, seed = 1): Float32Array[] {
  return [...eachClustered(count, dimension, seed)];
}

/** The vectors of {@linkcode clustered}, one by one. */
export function* eachClustered(
  count: number,
  dimension: number,
  seed = 1,
): Generator<Float32Array> {
  const random = uniform(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const centres = Array.from({ length: Math.ceil(count / 20) }, () => vectorOf(dimension, normal));
  for (let i = 0; i < count; i++) {
    const centre = centres[Math.floor(random() * centres.length)]!;
    yield l2Normalize(centre.map((x) => x + 0.5 * normal()));
  }
}

function vectorOf(dimension: number, number: () => number): Float32Array {
  return Float32Array.from({ length: dimension }, number);
}
