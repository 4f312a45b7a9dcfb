/**
 * Attention rollout as its paper writes it, with whole matrices in double precision.
 *
 * @param attentions [L, heads, T, T]
 * @param blocks how many of them, from the first.
 * @returns [T, T]
 */
export function rolloutReference(
  attentions: Float32Array,
  blocks: number,
  heads: number,
  T: number,
): number[][] {
  const square = (valueOf: (i: number, j: number) => number) =>
    Array.from({ length: T }, (_, i) => Array.from({ length: T }, (_, j) => valueOf(i, j)));
  let rollout = square((i, j) => i === j ? 1 : 0);
  for (let l = 0; l < blocks; l++) {
    const residual = square((i, j) => {
      let mean = 0;
      for (let h = 0; h < heads; h++) {
        mean += attentions[((l * heads + h) * T + i) * T + j]! / heads;
      }
      return (mean + (i === j ? 1 : 0)) / 2;
    });
    const normalised = residual.map((row) => {
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum);
    });
    const before = rollout;
    rollout = square((i, j) => normalised[i]!.reduce((sum, a, k) => sum + a * before[k]![j]!, 0));
  }
  return rollout;
}
