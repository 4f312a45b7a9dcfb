import { patchGrid, type ViTMSNConfig } from "../../../vit_msn/config.ts";
import { flopsOf } from "../../../vit_msn/flops.ts";
import type { Session } from "../../runtime.ts";
import { describe } from "./adapter.ts";
import { openDevice } from "./gpu.ts";
import { type GpuSpeed, measureSpeed } from "./speed.ts";

/** Shaders of a layer in onnxruntime-web's graph, about. */
const DISPATCHES_PER_LAYER = 18;
/** By how much the graphics card must win, as its time is but estimated. */
const MARGIN = 1.5;
/** Patches of the image on which the processor's time is measured. */
const SAMPLE_PATCHES = 15;

/** Whether the graphics card is faster than the processor for a batch of this size. */
export type GpuWins = (images: number) => boolean;

/**
 * Measures whether this machine's graphics card is worth while for a model.
 *
 * @param session the model on the processor; it takes `kept_patches`.
 * @returns nothing if there is none, only one in software, or it does not answer.
 */
export async function measureGpuWins(
  config: ViTMSNConfig,
  session: Session,
): Promise<GpuWins | undefined> {
  const speed = await gpuSpeed();
  return speed && gpuWins(config, speed, await imageTime(config, session));
}

async function gpuSpeed(): Promise<GpuSpeed | undefined> {
  try {
    const { adapter, device } = await openDevice();
    try {
      return describe(adapter).isSoftware ? undefined : await measureSpeed(device);
    } finally {
      device.destroy();
    }
  } catch {
    return undefined;
  }
}

/** The rule. `imageTime` is what an image takes on the processor, in milliseconds. */
export function gpuWins(config: ViTMSNConfig, gpu: GpuSpeed, imageTime: number): GpuWins {
  const overhead = gpu.latency +
    DISPATCHES_PER_LAYER * config.numHiddenLayers * gpu.perDispatch;
  const gpuImageTime = flopsOf(config, tokensOf(config)) / gpu.operations;
  return (images) => MARGIN * (overhead + images * gpuImageTime) < images * imageTime;
}

/** Milliseconds of a whole image on the processor, told from a small part of one. */
async function imageTime(config: ViTMSNConfig, session: Session): Promise<number> {
  const [height, width] = config.imageSize;
  const shape = [1, config.numChannels, height, width];
  const tokens = tokensOf(config);
  const kept = Math.min(SAMPLE_PATCHES, tokens - 1);
  const inputs = new Map(
    [
      ["pixel_values", {
        dtype: "float32",
        shape,
        data: new Float32Array(config.numChannels * height * width),
      }],
      ["kept_patches", {
        dtype: "int64",
        shape: [1, kept],
        data: BigInt64Array.from({ length: kept }, (_, i) => BigInt(i)),
      }],
    ] as const,
  );
  const times: number[] = [];
  for (let round = 0; round < 2; round++) {
    const start = performance.now();
    await session.run(inputs, ["last_hidden_state"]);
    times.push(performance.now() - start);
  }
  return Math.min(...times) * flopsOf(config, tokens) / flopsOf(config, 1 + kept);
}

function tokensOf(config: ViTMSNConfig): number {
  const [rows, columns] = patchGrid(config);
  return rows * columns + 1;
}
