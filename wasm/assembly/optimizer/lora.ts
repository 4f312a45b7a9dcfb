/**
 * LoRA (Hu et al., 2021): weight = frozen + scale · B A
 *
 * @param frozen f32 [outputs][inputs]; weight likewise
 * @param a f32 [rank][inputs]
 * @param b f32 [outputs][rank]
 */
export function mergeLora(
  frozen: usize,
  a: usize,
  b: usize,
  outputs: i32,
  inputs: i32,
  rank: i32,
  scale: f32,
  weight: usize,
): void {
  const bytes: usize = 4 * inputs;
  memory.copy(weight, frozen, outputs * bytes);
  for (let o = 0; o < outputs; o++, weight += bytes) {
    for (let r = 0; r < rank; r++) {
      const factor = scale * load<f32>(b + 4 * (o * rank + r));
      const row = a + r * bytes;
      for (let i: usize = 0; i < bytes; i += 4) {
        store<f32>(weight + i, load<f32>(weight + i) + factor * load<f32>(row + i));
      }
    }
  }
}

/**
 * The gradients of A and B by the merged weight's: dA = scale · Bᵀ dW, dB = scale · dW Aᵀ
 *
 * @param dWeight f32 [outputs][inputs]
 */
export function loraGradients(
  dWeight: usize,
  a: usize,
  b: usize,
  outputs: i32,
  inputs: i32,
  rank: i32,
  scale: f32,
  dA: usize,
  dB: usize,
): void {
  const bytes: usize = 4 * inputs;
  memory.fill(dA, 0, rank * bytes);
  for (let o = 0; o < outputs; o++, dWeight += bytes) {
    for (let r = 0; r < rank; r++) {
      const factor = scale * load<f32>(b + 4 * (o * rank + r));
      const row = a + r * bytes;
      const to = dA + r * bytes;
      let sum: f32 = 0;
      for (let i: usize = 0; i < bytes; i += 4) {
        const d = load<f32>(dWeight + i);
        sum += d * load<f32>(row + i);
        store<f32>(to + i, load<f32>(to + i) + factor * d);
      }
      store<f32>(dB + 4 * (o * rank + r), scale * sum);
    }
  }
}
