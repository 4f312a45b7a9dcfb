import type { OrtPackage } from "./ort_package.ts";

let imports = 0;

/**
 * onnxruntime-web with its WebAssembly imported as bytes, which only Deno can: it needs no permission to
 * read the package's folder.
 */
export const ortOfBytes: OrtPackage = {
  async wasm() {
    const ort = await import("onnxruntime-web/wasm");
    if (!ort.env.wasm.wasmBinary) {
      const { default: wasm } = await import(
        "onnxruntime-web/ort-wasm-simd-threaded.wasm",
        { with: { type: "bytes" } }
      );
      ort.env.wasm.wasmBinary = wasm;
      ort.env.wasm.numThreads = 1;
    }
    return ort;
  },
  async webgpu() {
    // The package comes with its JavaScript: its bytes alone Deno would not find in an empty cache.
    const ort = imports++ === 0
      ? await import("onnxruntime-web/jspi")
      : await import(`${import.meta.resolve("onnxruntime-web/jspi")}?${imports}`);
    const { default: wasmBinary } = await import(
      "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm",
      { with: { type: "bytes" } }
    );
    ort.env.wasm.wasmBinary = wasmBinary;
    ort.env.wasm.numThreads = 1;
    return ort;
  },
};
