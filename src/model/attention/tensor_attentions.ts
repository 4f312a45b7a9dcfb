import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid } from "../../vit_msn/config.ts";
import { choosePatches, type KeepOptions } from "../../vit_msn/patch_dropping.ts";
import { type Classification, toClassifications } from "../outputs/classification.ts";
import type { ViTMSNModel } from "../vit_msn_model.ts";
import type { ImageAttentions } from "./image_attentions.ts";
import { rollOut } from "./roll_out.ts";

/**
 * {@linkcode computeAttentions} of what the model's processor made of an image.
 *
 * @param pixelValues [1, C, H, W], H and W as the model has them.
 * @throws {RangeError} if there is not one image, it has another size, or `keepPatches` or `seed` is out of
 * range.
 */
export async function tensorAttentions(
  model: ViTMSNModel,
  pixelValues: Tensor<"float32">,
  keep: KeepOptions = {},
): Promise<ImageAttentions> {
  const [B, , height, width] = pixelValues.shape;
  if (B !== 1) {
    throw new RangeError(`Cannot compute attentions: there are ${B} images; pass one at a time`);
  }
  const { config } = model;
  const imageSize = [height!, width!] as const;
  const [rows, columns] = patchGrid({ imageSize, patchSize: config.patchSize });
  const patches = Int32Array.from(choosePatches(rows * columns, keep));
  const K = patches.length;
  const classifies = model.defaultOutputs.includes("logits");
  const results = await model.forward({
    pixel_values: pixelValues,
    ...(K === rows * columns ? {} : {
      kept_patches: { dtype: "int64", shape: [1, K], data: BigInt64Array.from(patches, BigInt) },
    }),
  }, { outputs: classifies ? ["attentions", "logits"] : ["attentions"] });
  const { shape, data } = results.get("attentions") as Tensor<"float32">; // [L, 1, heads, T, T]
  const [blocks, , heads, T] = shape as [number, number, number, number];
  const weights = new Float32Array(blocks * heads * K);
  for (let i = 0; i < blocks * heads; i++) {
    // CLS' row, without its attention to itself.
    weights.set(data.subarray(i * T * T + 1, i * T * T + T), i * K);
  }
  const rolledOut = rollOut(data, { blocks, heads, tokens: T });
  const rollouts = new Float32Array(blocks * K);
  for (let l = 0; l < blocks; l++) {
    rollouts.set(rolledOut.subarray(l * T + 1, (l + 1) * T), l * K);
  }
  const attentions = { rows, columns, blocks, heads, patches, weights, rollouts };
  if (!classifies) return attentions;
  const logits = results.get("logits")!.data as Float32Array;
  return { ...attentions, logits, labels: labelsOf(model, logits) };
}

/** The labels as `classify` gives them. */
function labelsOf({ head, config }: ViTMSNModel, logits: Float32Array): Classification[] {
  return toClassifications(
    logits,
    head ? { id2label: head.labels, problemType: "single_label_classification" } : config,
  );
}
