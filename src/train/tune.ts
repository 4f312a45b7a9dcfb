import type { ViTMSNConfig } from "../vit_msn/config.ts";
import { MASK_TOKEN, type ViTMSNWeights } from "../vit_msn/weights.ts";

/**
 * How much of a model trains: everything; the last blocks, with what follows them; or LoRA adapters of
 * queries and values (Hu et al., 2021), with the classifier.
 */
export type TuneMode =
  | { readonly kind: "all" }
  | { readonly kind: "last"; readonly blocks: number }
  | { readonly kind: "lora"; readonly rank: number; readonly alpha: number };

/** The weights that LoRA adapts: the queries and values of all blocks. */
export function adaptedWeights({ numHiddenLayers }: ViTMSNConfig): string[] {
  return Array.from({ length: numHiddenLayers }, (_, i) => i).flatMap((i) =>
    ["query", "value"].map((role) => `encoder.layer.${i}.attention.attention.${role}.weight`)
  );
}

/** The names of an adapter's matrices A [rank, inputs] and B [outputs, rank], as PEFT has them. */
export function adapterNames(weight: string): { a: string; b: string } {
  const layer = weight.slice(0, -".weight".length);
  return { a: `${layer}.lora_A.weight`, b: `${layer}.lora_B.weight` };
}

/** The lowest block that learns; the number of blocks if only what follows them does. */
export function lowestBlock(tune: TuneMode, { numHiddenLayers: L }: ViTMSNConfig): number {
  return tune.kind === "last" ? Math.max(0, L - tune.blocks) : 0;
}

/**
 * The shapes of the parameters that learn, by name, in the order of the forward.
 *
 * @param weights all weights of the model.
 * @param masks whether patches are masked; without, the mask token does not learn.
 */
export function learningShapes(
  weights: ViTMSNWeights,
  config: ViTMSNConfig,
  tune: TuneMode,
  { masks }: { masks: boolean },
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  if (tune.kind === "lora") {
    for (const name of adaptedWeights(config)) {
      const [outputs, inputs] = weights.get(name)!.shape as [number, number];
      const { a, b } = adapterNames(name);
      shapes.set(a, [tune.rank, inputs]);
      shapes.set(b, [outputs, tune.rank]);
    }
  }
  const lowest = lowestBlock(tune, config);
  for (const [name, { shape }] of weights) {
    const block = /^encoder\.layer\.(\d+)\./.exec(name)?.[1];
    const learns = name.startsWith("classifier.") ||
      tune.kind !== "lora" &&
        (block === undefined
          ? !name.startsWith("embeddings.") || tune.kind === "all" && (masks || name !== MASK_TOKEN)
          : Number(block) >= lowest);
    if (learns) shapes.set(name, shape);
  }
  return shapes;
}
