import { bestBuild, type SimdBuild } from "../runtime/simd/kernels.ts";
import type { PackedFile } from "../runtime/simd/packed_file.ts";
import { SimdSession } from "../runtime/simd/session.ts";
import { modelOf, type ViTMSNModel } from "./vit_msn_model.ts";

/**
 * Makes a packed model ready to run, in one thread of this project's own engine. It computes what
 * `createModel` with `simdRuntime()` computes of the ONNX file that it was made of, to the bit.
 *
 * @throws {RangeError} if there is not enough memory for it.
 */
export async function createPackedModel(
  file: PackedFile,
  { build = bestBuild() }: { readonly build?: SimdBuild } = {},
): Promise<ViTMSNModel> {
  const session = await SimdSession.start(file.config, (arena) => {
    arena.put(file.weights);
    return file.model;
  }, { build, dotProduct: "auto", threads: 1 });
  return modelOf(file, session);
}
