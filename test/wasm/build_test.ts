import { assertEquals } from "@std/assert";
import { compile, MODULES } from "../../wasm/build.ts";
import { moduleText } from "../../wasm/module_text.ts";

for (const name of Object.keys(MODULES) as (keyof typeof MODULES)[]) {
  Deno.test(`wasm/${name}.wasm is what its sources compile to, and so is its module`, async () => {
    const path = `wasm/${name}.wasm`;
    const wasm = await compile(name);
    assertEquals(wasm, await Deno.readFile(path));
    assertEquals(moduleText(path, wasm), await Deno.readTextFile(`${path}.ts`));
  });
}
