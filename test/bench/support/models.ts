import { concat } from "@std/bytes/concat";
import type { Tensor, ViTMSNConfig } from "../../../src/mod.ts";
import { elementCount } from "../../../src/tensor/tensor.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import {
  readModelFile,
  type Sidecars,
  verifiedWeights,
  writeModelFile,
} from "../../../src/vit_msn/model_file.ts";
import { dequantize, type WeightDataType } from "../../../src/vit_msn/quantize.ts";
import { uniform } from "../../random.ts";
import { randomWeights } from "../../vit_msn/random_weights.ts";

/** A model to time. */
export interface BenchModel {
  readonly config: ViTMSNConfig;
  /** The documents that were beside its file. */
  readonly sidecars: Sidecars;
  /** The precisions that there are files of. */
  readonly dtypes: readonly WeightDataType[];
  /** Whether this project's own engines can run it. */
  readonly isOwn: boolean;
  /** Its file, with the matrices in that precision. */
  fileOf(dtype: WeightDataType): Uint8Array;
  /** Pixels of noise, [B, C, H, W]. */
  pixelsOf(batch: number): Tensor<"float32">;
}

/** What vit-msn-small and vit-msn-base differ in, by Hugging Face's names. */
const SHAPES = {
  small: { hidden_size: 384, num_attention_heads: 6, intermediate_size: 1536 },
  base: { hidden_size: 768, num_attention_heads: 12, intermediate_size: 3072 },
} as const;

/** The models by their names. */
export const MODEL_NAMES = ["embedded", "small", "base"] as const;
export type ModelName = typeof MODEL_NAMES[number];

/** The embedded model, or one of random weights in the shape of a released one. */
export async function benchModel(name: ModelName): Promise<BenchModel> {
  return name === "embedded" ? await embeddedModel() : randomModel(name);
}

/** The documents of a Hugging Face model folder for random weights. */
export function documentsOf(name: keyof typeof SHAPES) {
  return {
    config: { model_type: "vit_msn", architectures: ["ViTMSNModel"], ...SHAPES[name] },
    preprocessorConfig: {
      image_processor_type: "ViTImageProcessor",
      do_resize: true,
      size: { height: 224, width: 224 },
      resample: 2,
      do_rescale: true,
      rescale_factor: 1 / 255,
      do_normalize: true,
      image_mean: [0.485, 0.456, 0.406],
      image_std: [0.229, 0.224, 0.225],
    },
  };
}

/** A backbone; its matrices are small enough that activations stay as large as in a trained one. */
export function randomModel(name: keyof typeof SHAPES): BenchModel {
  const { config, preprocessorConfig } = documentsOf(name);
  const parsed = parseConfig(config);
  const weights = new Map<string, Tensor>(randomWeights(parsed, { classifier: false }));
  for (const [name, { shape, data }] of weights) {
    if (shape.length < 2) continue;
    const scaled = (data as Float32Array).map((weight) => 0.15 * weight);
    weights.set(name, { dtype: "float32", shape, data: scaled });
  }
  return modelOf(parsed, (dtype) => writeModelFile(config, preprocessorConfig, weights, dtype));
}

async function embeddedModel(): Promise<BenchModel> {
  const bytes = await Deno.readFile("functions/_shared/model.onnx");
  const file = readModelFile(bytes);
  const exact = dequantize(verifiedWeights(file));
  const { config, preprocessorConfig } = file.documents;
  return modelOf(file.config, (dtype) => writeModelFile(config, preprocessorConfig, exact, dtype));
}

function modelOf(
  config: ViTMSNConfig,
  write: (dtype: WeightDataType) => readonly Uint8Array[],
): BenchModel {
  return {
    config,
    sidecars: {},
    dtypes: ["f32", "f16", "int8"],
    isOwn: true,
    fileOf: (dtype) => concat([...write(dtype)]),
    pixelsOf: (batch) => noiseOf(config, batch),
  };
}

/** Pixels of noise between -2 and 2, [B, C, H, W]. */
export function noiseOf(config: ViTMSNConfig, batch: number): Tensor<"float32"> {
  const random = uniform(2);
  const shape = [batch, config.numChannels, ...config.imageSize];
  const data = Float32Array.from({ length: elementCount(shape) }, () => 4 * random() - 2);
  return { dtype: "float32", shape, data };
}
