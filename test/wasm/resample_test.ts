import { assertEquals } from "@std/assert";
import { sha256 } from "../golden/golden.ts";

Deno.test("wasm/resample.wasm was built from its source as it is", async () => {
  const module = new WebAssembly.Module(await Deno.readFile("wasm/resample.wasm"));
  const [digest] = WebAssembly.Module.customSections(module, "source");
  const source = await Deno.readFile("wasm/assembly/resample.ts");
  assertEquals(new TextDecoder().decode(digest), await sha256(source));
});
