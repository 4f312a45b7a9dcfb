import type { GraphBounds } from "../../onnx/graph_bounds.ts";
import type { ModelFile } from "../../vit_msn/model_file.ts";
import { VariantSession } from "./variant_session.ts";
import { OnnxruntimeSession } from "./session.ts";
import type { Runtime, Session } from "../runtime.ts";
import { installedOrt, type OrtPackage } from "./ort_package.ts";

/**
 * onnxruntime-web on WebAssembly SIMD, one thread: it runs any ViT-MSN in ONNX. It blocks the event loop
 * while it runs.
 *
 * @param ort the package; default is the one that is installed beside this package.
 *
 * @example
 * ```ts
 * import { onnxruntimeWasm } from "./wasm.ts";
 *
 * // With a build of one's own, or one from a CDN.
 * const runtime = onnxruntimeWasm({
 *   wasm: () => import("onnxruntime-web/wasm"),
 *   webgpu: () => import("onnxruntime-web/jspi"),
 * });
 * console.log(typeof runtime.createSession);
 * ```
 */
export function onnxruntimeWasm(ort: OrtPackage = installedOrt): Runtime {
  return {
    createSession: (file: ModelFile): Promise<Session> =>
      VariantSession.create(file, (model, bounds) => createWasmSession(ort, model, bounds)),
  };
}

/**
 * Makes a session of one graph.
 *
 * @param model an ONNX file.
 * @param bounds of its graph.
 */
export async function createWasmSession(
  ortPackage: OrtPackage,
  model: Uint8Array,
  bounds: GraphBounds,
): Promise<Session> {
  const ort = await ortPackage.wasm();
  return new OnnxruntimeSession(
    ort,
    await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
      logSeverityLevel: 4, // what is wrong comes as an exception
      // Without a second, reordered copy of the weights: less memory at the same speed.
      extra: { session: { disable_prepacking: "1" } },
    }),
    bounds,
  );
}
