import type { Tensor } from "../../../tensor/tensor.ts";
import type { ViTMSNWeights } from "../../../vit_msn/weights.ts";

/** The name of the prototypes, [K, output]. */
export const PROTOTYPES = "prototypes";

/** A network of MSN. */
export interface MsnNetwork {
  /** Under Hugging Face's names. */
  readonly encoder: ViTMSNWeights;
  /** fc1, bn1, fc2, bn2 and fc3, under the authors' names without `fc.`. */
  readonly head: ReadonlyMap<string, Tensor>;
}
