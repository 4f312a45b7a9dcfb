import { deadline } from "@std/async/deadline";

/** What WebGPU says of the graphics card that it takes. */
export interface WebgpuAdapter {
  /** Such as `nvidia`; empty where the driver does not say. */
  readonly vendor: string;
  /** A name for people, such as `NVIDIA H100`. */
  readonly description: string;
  /** Whether it is a program on the processor, such as Mesa's lavapipe. */
  readonly isSoftware: boolean;
  /** Whether its shaders compute in half precision. */
  readonly hasFloat16: boolean;
  /** The largest buffer that a shader can read, in bytes: a tensor must fit into one. */
  readonly maxBufferBytes: number;
}

/** Drivers take a quarter of a second to be loaded. */
const ADAPTER_TIMEOUT = 10_000;

/**
 * The adapter that WebGPU gives for speed; nothing on a machine without one.
 *
 * @throws {Error} if the driver fails, or does not answer within 10 s.
 */
export async function requestAdapter(): Promise<GPUAdapter | undefined> {
  const asked = globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!asked) return undefined;
  try {
    return await deadline(asked, ADAPTER_TIMEOUT) ?? undefined;
  } catch (cause) {
    throw new Error(`WebGPU gave no adapter: ${messageOf(cause)}`, { cause });
  }
}

/** What an adapter says of itself. */
export function describe({ info, features, limits }: GPUAdapter): WebgpuAdapter {
  return {
    vendor: info.vendor,
    description: info.description || info.device || info.vendor || "unnamed",
    isSoftware: info.isFallbackAdapter,
    hasFloat16: features.has("shader-f16"),
    maxBufferBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  };
}

/**
 * What the graphics card is that the `webgpu` engine runs on.
 *
 * @returns nothing on a machine without WebGPU, or without an adapter for it.
 * @throws {DOMException} `TimeoutError` if the driver does not answer within 10 s.
 *
 * @example
 * ```ts
 * import { webgpuAdapter } from "./adapter.ts";
 *
 * async function graphicsCard(): Promise<string> {
 *   const adapter = await webgpuAdapter();
 *   return adapter?.description ?? "none";
 * }
 * ```
 */
export async function webgpuAdapter(): Promise<WebgpuAdapter | undefined> {
  const adapter = await requestAdapter();
  return adapter && describe(adapter);
}

/** The message of an error, or the text of whatever else was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
