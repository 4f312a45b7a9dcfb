import { shuffle, uniform } from "../tensor/random.ts";

/**
 * A generator of uniform numbers that depends on nothing but a seed and a purpose, such as an epoch and an
 * image: an interrupted run draws the same numbers again, in whatever order.
 */
export function randomStream(seed: number, ...purpose: readonly number[]): () => number {
  let hash = 0x811c9dc5; // FNV-1a, a number at a time
  for (const number of [seed, ...purpose]) {
    hash = Math.imul(hash ^ number, 0x01000193);
    hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
  }
  return uniform(hash);
}

/** The numbers from 0 to `count` - 1 in a random order. */
export function shuffled(count: number, random: () => number): number[] {
  return shuffle(Array.from({ length: count }, (_, i) => i), random);
}

/** What random streams are for. */
export const Stream = {
  AUGMENTATION: 1,
  ORDER: 2,
  MIXING: 3,
  PATCHES: 4,
  BRANCHES: 5,
  ADAPTERS: 6,
  SPLIT: 7,
  MONITOR: 8,
  WEIGHTS: 9,
} as const;
