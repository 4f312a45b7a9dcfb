/**
 * Engines of onnxruntime-web, an optional peer of this package: {@linkcode onnxruntimeWasm} runs any ViT-MSN
 * in ONNX, {@linkcode onnxruntimeWebgpu} runs it on a graphics card, and {@linkcode autoRuntime} chooses
 * between them and this project's own engine.
 *
 * @module
 */

export { type AutoOptions, autoRuntime } from "../auto.ts";
export { type Backend, BACKENDS, runtimeOf } from "../backend.ts";
export { type OrtPackage } from "./ort_package.ts";
export { type OrtModule } from "./session.ts";
export { onnxruntimeWasm } from "./wasm.ts";
export { type WebgpuAdapter, webgpuAdapter } from "./webgpu/adapter.ts";
export { onnxruntimeWebgpu } from "./webgpu/runtime.ts";
