import { deadline } from "@std/async/deadline";
import type { OrtPackage } from "../ort_package.ts";
import type { OrtModule } from "../session.ts";
import { messageOf, requestAdapter } from "./adapter.ts";

/** What onnxruntime-web makes use of, where the adapter has it. */
const FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups"];
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

const DEVICE_TIMEOUT = 10_000;

/** A device, and the onnxruntime-web that runs on it: when one of them is lost, so is the other. */
export class Gpu {
  readonly ort: OrtModule;
  readonly device: GPUDevice;
  /** Deno ends the process if an adapter is collected that is still in use. */
  readonly adapter: GPUAdapter;
  #isOver = false;

  private constructor(ort: OrtModule, { adapter, device }: OpenedDevice) {
    this.ort = ort;
    this.adapter = adapter;
    this.device = device;
    void device.lost.then(() => this.#isOver = true);
  }

  /** Whether the device is lost or was given back. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Gives the device back; what runs on it fails. */
  end(): void {
    this.#isOver = true;
    this.device.destroy();
  }

  /** @throws {Error} if there is no WebGPU, no adapter or no device. */
  static async open(ort: OrtPackage): Promise<Gpu> {
    const opened = await openDevice();
    try {
      return new Gpu(await ort.webgpu(), opened);
    } catch (error) {
      opened.device.destroy();
      throw error;
    }
  }
}

/** A device and its adapter. */
export interface OpenedDevice {
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
}

/**
 * A device of its own, with all that the adapter allows: the driver's defaults are too small for large
 * models.
 *
 * @throws {Error} if there is no WebGPU, no adapter or no device.
 */
export async function openDevice(): Promise<OpenedDevice> {
  const adapter = await requestAdapter();
  if (!adapter) {
    throw new Error(
      "Cannot run the model on WebGPU: this machine has no adapter for it; leave --backend out",
    );
  }
  const requested = adapter.requestDevice({
    requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  try {
    return { adapter, device: await deadline(requested, DEVICE_TIMEOUT) };
  } catch (cause) {
    throw new Error(`WebGPU opened no device: ${messageOf(cause)}`, { cause });
  }
}
