import { toBase64 } from "../src/tensor/base64.ts";

/**
 * The text of `NAME.wasm.ts`, which has the bytes of `NAME.wasm`: modules are what every host, bundler and
 * registry can import.
 *
 * @param fromRoot the path of `NAME.wasm`, relative to the repository's folder.
 */
export function moduleText(fromRoot: string, wasm: Uint8Array): string {
  const up = "../".repeat(fromRoot.split("/").length - 1);
  return `// Generated from ${fromRoot} by \`deno task build:wasm\`.
import type { WasmSource } from "${up}src/host/wasm_source.ts";
import { fromBase64 } from "${up}src/tensor/base64.ts";

const wasm: WasmSource = fromBase64("${toBase64(wasm)}");
export default wasm;
`;
}
