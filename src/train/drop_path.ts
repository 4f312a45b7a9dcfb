/**
 * The factors of blocks' branches for stochastic depth (Huang et al., 2016): 0 for those that are left out, and
 * 1 / (1 - rate) for the others. The rate rises from 0 at the first block to `dropPath` at the last.
 *
 * @param blocks L
 * @returns [L, 2, images]
 */
export function branchScales(
  dropPath: number,
  blocks: number,
  images: number,
  random: () => number,
): Float32Array {
  return Float32Array.from({ length: blocks * 2 * images }, (_, i) => {
    const rate = dropPath * Math.floor(i / (2 * images)) / Math.max(1, blocks - 1);
    return random() < rate ? 0 : 1 / (1 - rate);
  });
}
