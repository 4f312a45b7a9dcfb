import { assertEquals } from "@std/assert";
import { compile, MODULES } from "../../wasm/build.ts";

for (const name of Object.keys(MODULES) as (keyof typeof MODULES)[]) {
  Deno.test(`wasm/${name}.wasm is what its sources compile to`, async () => {
    assertEquals(await compile(name), await Deno.readFile(`wasm/${name}.wasm`));
  });
}
