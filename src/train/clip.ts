/**
 * The factor of gradients whose norm is clipped, as `torch.nn.utils.clip_grad_norm_` has it:
 * min(1, max / (norm + 1e-6)).
 */
export function clipFactor(norm: number, max: number): number {
  return Math.min(1, max / (norm + 1e-6));
}
