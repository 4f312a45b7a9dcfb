import plainWasm from "../../../wasm/vit_msn_plain.wasm.ts";
import relaxedWasm from "../../../wasm/vit_msn_relaxed.wasm.ts";
import { canRunWasm, compileWasm } from "../../host/wasm_source.ts";
import { Dot } from "./structs.ts";

/** The functions of `wasm/assembly/vit_msn.ts`, as far as the host calls them. */
export interface Kernels {
  forward(plan: number, thread: number, first: number, end: number): number;
  pack(dtype: number, rows: number, inputs: number, panel: number): number;
  dot(): number;
  freeMemory(): number;
}

/**
 * The two builds: `relaxed` is faster, `plain` gives the same bits on every processor. For models of int8 both
 * give the same.
 */
export type SimdBuild = "relaxed" | "plain";

/**
 * The fastest build that this host can run: what {@linkcode simdRuntime} takes by default.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { bestBuild } from "./kernels.ts";
 *
 * assertEquals(bestBuild(), "relaxed"); // in Deno; in Safari, plain
 * ```
 */
export function bestBuild(): SimdBuild {
  return canRunWasm(relaxedWasm) ? "relaxed" : "plain";
}

const modules = new Map<SimdBuild, WebAssembly.Module>();

/** The compiled kernels. */
export function kernelModule(build: SimdBuild): WebAssembly.Module {
  let module = modules.get(build);
  if (!module) {
    module = compileWasm(build === "relaxed" ? relaxedWasm : plainWasm);
    modules.set(build, module);
  }
  return module;
}

/**
 * How the relaxed build multiplies 8-bit numbers, with the same sums: in a `single` instruction, which
 * processors with AVX-VNNI or Arm's dot product have, or in `pairwise` sums, which are faster elsewhere.
 * `auto` asks the processor.
 */
export type DotProduct = "auto" | "single" | "pairwise";

const DOTS = { auto: Dot.AUTO, single: Dot.SINGLE, pairwise: Dot.PAIRWISE } as const;

/** The kernels on a memory. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  dotProduct: DotProduct = "auto",
): Kernels {
  const imports = { env: { memory, dot: DOTS[dotProduct] } };
  return new WebAssembly.Instance(module, imports).exports as unknown as Kernels;
}
