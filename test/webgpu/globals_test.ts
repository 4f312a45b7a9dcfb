import { assertKeepsGlobals } from "../runtime/globals.ts";
import { GPU_TEST } from "./adapter.ts";

Deno.test("webgpu leaves the global names as they are", GPU_TEST, async () => {
  await assertKeepsGlobals("webgpu");
});
