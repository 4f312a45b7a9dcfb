import type { Tensor } from "../tensor/tensor.ts";
import type { Tensors } from "../checkpoint/safetensors.ts";

/**
 * Returns the tensors whose names start with a prefix, under their names without it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tensorsUnder } from "./tensors_under.ts";
 *
 * const bias = { dtype: "float32", shape: [1], data: Float32Array.of(1) } as const;
 * const tensors = new Map([["fc.fc1.bias", bias], ["norm.bias", bias]]);
 * assertEquals(tensorsUnder("fc.", tensors), new Map([["fc1.bias", bias]]));
 * ```
 */
export function tensorsUnder(prefix: string, tensors: Tensors): Map<string, Tensor> {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}
