import { packColumns, packRows } from "../kernels/panels";
import { TrainedLinear } from "./plan";

/**
 * Packs a layer's parameters for the forward and, if a gradient goes below the layer, the backward.
 *
 * @param weight f32 [outputs][inputs]
 * @param bias f32 [outputs], or 0 if there is none
 */
export function repack(layer: TrainedLinear, weight: usize, bias: usize): void {
  const inputs = layer.inputs;
  const outputs = layer.outputs;
  const stride: usize = 4 * inputs;
  packRows(weight, stride, outputs, inputs, inputs, layer.forward);
  if (layer.backward) packColumns(weight, stride, outputs, inputs, outputs, layer.backward);
  if (bias) memory.copy(layer.bias, bias, 4 * outputs);
}
