import type { OrtModule } from "./session.ts";

/** The package onnxruntime-web, as the engines take it. */
export interface OrtPackage {
  /** Gives its build for WebAssembly, `onnxruntime-web/wasm`. */
  wasm(): Promise<OrtModule>;
  /**
   * Gives its build for WebGPU, `onnxruntime-web/jspi`. It is asked for each device: a module that has run
   * on a lost device is broken for good, so a host that can import it anew should.
   */
  webgpu(): Promise<OrtModule>;
}

/** onnxruntime-web as it is installed beside this package; it finds its WebAssembly itself. */
export const installedOrt: OrtPackage = {
  wasm: async () => await imported(() => import("onnxruntime-web/wasm")),
  webgpu: async () => await imported(() => import("onnxruntime-web/jspi")),
};

async function imported(importOrt: () => Promise<OrtModule>): Promise<OrtModule> {
  let ort;
  try {
    ort = await importOrt();
  } catch (cause) {
    throw new Error(
      "Cannot import onnxruntime-web: install it beside this package, or pass it as `ort`",
      { cause },
    );
  }
  ort.env.wasm.numThreads = 1;
  return ort;
}
