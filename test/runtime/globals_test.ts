import { BACKENDS } from "../../src/runtime/onnxruntime/mod.ts";
import { assertKeepsGlobals } from "./globals.ts";

for (const backend of BACKENDS) {
  if (backend === "webgpu") continue; // test/webgpu
  Deno.test(`${backend} leaves the global names as they are`, () => assertKeepsGlobals(backend));
}
