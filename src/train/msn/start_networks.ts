import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { type ViTMSNWeights, weightShapes } from "../../vit_msn/weights.ts";
import { randomStream, Stream } from "../random_stream.ts";
import type { MsnNetwork } from "./engine/msn_network.ts";
import { type HeadShape, headShapes } from "./engine/projection_head.ts";

/** The networks of a pre-training at its start. */
export interface MsnNetworks {
  /** What learns. */
  readonly network: MsnNetwork;
  /** The moving average. */
  readonly target: MsnNetwork;
  /** [K, output] */
  readonly prototypes: Tensor<"float32">;
}

/** Weights to go on from. */
export interface PretrainStart {
  /** What learns, under Hugging Face's names. */
  readonly encoder: ViTMSNWeights;
  /** Its moving average. */
  readonly targetEncoder: ViTMSNWeights;
  /** The projection head of what learns. Heads and prototypes come together; without them, they are new. */
  readonly head?: ReadonlyMap<string, Tensor>;
  /** The target's projection head. */
  readonly targetHead?: ReadonlyMap<string, Tensor>;
  /** The prototypes, [K, output]. */
  readonly prototypes?: Tensor<"float32">;
}

const WEIGHT_DEVIATION = 0.02;

/** New weights of an encoder, as the authors' deit.py makes them. */
export function newEncoder(config: ViTMSNConfig, seed: number): Map<string, Tensor<"float32">> {
  const encoder = new Map<string, Tensor<"float32">>();
  let number = 0;
  for (const [name, shape] of weightShapes(config, { classifier: false })) {
    const random = randomStream(seed, Stream.WEIGHTS, number++);
    encoder.set(name, newTensor(shape, valuesOf(name, shape, random)));
  }
  return encoder;
}

/** New weights of a projection head: normal matrices, biases of 0, BatchNorm that changes nothing. */
export function newHead(shape: HeadShape, seed: number): Map<string, Tensor<"float32">> {
  const head = new Map<string, Tensor<"float32">>();
  let number = 1_000_000; // apart from the encoder's
  for (const [name, size] of headShapes(shape)) {
    const random = randomStream(seed, Stream.WEIGHTS, number++);
    head.set(name, newTensor(size, valuesOf(name, size, random)));
  }
  return head;
}

/** New prototypes, [K, output]: uniform(±1/√output). */
export function newPrototypes(count: number, output: number, seed: number): Tensor<"float32"> {
  const random = randomStream(seed, Stream.WEIGHTS, 2_000_000);
  const bound = 1 / Math.sqrt(output);
  return newTensor([count, output], () => bound * (2 * random() - 1));
}

/** What a tensor's numbers are drawn from. */
function valuesOf(name: string, shape: readonly number[], random: () => number): () => number {
  if (name.endsWith(".bias")) return () => 0;
  if (shape.length === 1) return () => 1; // of a LayerNorm or BatchNorm
  const isConvolution = shape.length === 4;
  const inputs = shape.slice(1).reduce((a, b) => a * b);
  // Kaiming-normal for the patch projection: Var = 2 / inputs.
  const deviation = isConvolution ? Math.sqrt(2 / inputs) : WEIGHT_DEVIATION;
  return () => deviation * normal(random);
}

/** A normal number, by the method of Box and Muller. */
function normal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

function newTensor(shape: readonly number[], value: () => number): Tensor<"float32"> {
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: "float32", shape: [...shape], data: Float32Array.from({ length }, value) };
}
