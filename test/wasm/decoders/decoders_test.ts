import { assert, assertEquals } from "@std/assert";
import { buildDecoder, DECODERS } from "../../../wasm/decoders/decoders.ts";
import { moduleText } from "../../../wasm/module_text.ts";

for (const name of Object.keys(DECODERS) as (keyof typeof DECODERS)[]) {
  Deno.test(`wasm/decoders/${name}.wasm is what its package gives, and so is its module`, async () => {
    const path = `wasm/decoders/${name}.wasm`;
    const wasm = await buildDecoder(name);
    assertEquals(wasm, await Deno.readFile(path));
    assertEquals(moduleText(path, wasm), await Deno.readTextFile(`${path}.ts`));
  });

  Deno.test(`wasm/decoders/${name}.wasm imports its memory, whose limit it does not set`, async () => {
    const module = await WebAssembly.compile(await buildDecoder(name));
    const imports = WebAssembly.Module.imports(module);
    assert(
      imports.some(({ module, name, kind }) => `${module} ${name} ${kind}` === "env memory memory"),
    );
    const own = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "memory");
    assert(own.length <= 1); // the imported one, exported again
  });
}

Deno.test("the README of the decoders names every source", async () => {
  const text = await Deno.readTextFile("wasm/decoders/README.md");
  for (const [name, { sha256 }] of Object.entries(DECODERS)) {
    assert(text.includes(`\`${name}.wasm\``) && text.includes(sha256), name);
  }
});
