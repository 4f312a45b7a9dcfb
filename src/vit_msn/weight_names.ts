import type { Tensor } from "../tensor/tensor.ts";

/** The MSN authors' names of tensors outside the blocks, with Hugging Face's names. */
const MODULES: ReadonlyMap<string, string> = new Map([
  ["cls_token", "embeddings.cls_token"],
  ["pos_embed", "embeddings.position_embeddings"],
  ["patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"],
  ["patch_embed.proj.bias", "embeddings.patch_embeddings.projection.bias"],
  ["norm.weight", "layernorm.weight"],
  ["norm.bias", "layernorm.bias"],
]);

/** The parts of a block in the authors' code (`blocks`) and in newer transformers (`layers`). */
const LAYER_PARTS: ReadonlyMap<string, string> = new Map([
  ["norm1", "layernorm_before"],
  ["norm2", "layernorm_after"],
  ["attn.proj", "attention.output.dense"],
  ["layernorm_before", "layernorm_before"],
  ["layernorm_after", "layernorm_after"],
  ["attention.q_proj", "attention.attention.query"],
  ["attention.k_proj", "attention.attention.key"],
  ["attention.v_proj", "attention.attention.value"],
  ["attention.o_proj", "attention.output.dense"],
  ["mlp.fc1", "intermediate.dense"],
  ["mlp.fc2", "output.dense"],
]);

/** The order of the parts in the rows of the authors' `attn.qkv`. */
const QKV = ["query", "key", "value"] as const;

/**
 * Renames weights to the names of Hugging Face's released ViT-MSN files, without their prefix `vit.`:
 * `encoder.layer.0.attention.attention.query.weight`. It accepts these names, those of newer transformers
 * (`layers.0.attention.q_proj.weight`) and those of the authors' code (`module.blocks.0.attn.qkv.weight`),
 * each with or without the prefixes `module.` and `vit.`.
 *
 * The authors' `attn.qkv` [3D, …] becomes three views [D, …]. Their projection head `fc` is only used in
 * pre-training and is dropped. An unknown name is kept.
 *
 * @throws {TypeError} if two tensors get the same name; the message has both.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { toHuggingFaceNames } from "./weight_names.ts";
 *
 * const data = Float32Array.of(1, 2, 3);
 * const bias = { dtype: "float32", shape: [3], data } as const;
 * const named = toHuggingFaceNames(new Map([["module.blocks.0.attn.qkv.bias", bias]]));
 * assertEquals(named.get("encoder.layer.0.attention.attention.key.bias")?.data, Float32Array.of(2));
 * ```
 */
export function toHuggingFaceNames(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  const sources = new Map<string, string>();
  for (const [source, tensor] of tensors) {
    for (const [name, part] of rename(source, tensor)) {
      const other = sources.get(name);
      if (other !== undefined) {
        throw new TypeError(`Cannot use the weights: both ${other} and ${source} are ${name}`);
      }
      sources.set(name, source);
      named.set(name, part);
    }
  }
  return named;
}

function rename(source: string, tensor: Tensor): [string, Tensor][] {
  const name = source.replace(/^(module\.)?(vit\.)?/, "");
  if (/^fc\./.test(name)) return [];
  if (/^(embeddings|encoder|layernorm|classifier)\./.test(name)) return [[name, tensor]];
  const module = MODULES.get(name);
  if (module) return [[module, tensor]];
  const [, layer, part, kind] = /^(?:blocks|layers)\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (part === "attn.qkv" && tensor.shape.length > 0 && tensor.shape[0]! % 3 === 0) {
    return QKV.map((role, i) => [
      `encoder.layer.${layer}.attention.attention.${role}.${kind}`,
      thirdOf(tensor, i),
    ]);
  }
  const renamed = LAYER_PARTS.get(part ?? "");
  return [[renamed ? `encoder.layer.${layer}.${renamed}.${kind}` : source, tensor]];
}

/** A view of the i-th third of the rows. */
function thirdOf({ dtype, shape: [rows = 0, ...rest], data }: Tensor, i: number): Tensor {
  const size = data.length / 3;
  return { dtype, shape: [rows / 3, ...rest], data: data.subarray(i * size, (i + 1) * size) };
}
