import plainWasm from "../../../wasm/vit_msn_plain.wasm" with { type: "bytes" };
import relaxedWasm from "../../../wasm/vit_msn_relaxed.wasm" with { type: "bytes" };

/** The functions of `wasm/assembly/vit_msn.ts`, as far as the host calls them. */
export interface Kernels {
  forward(plan: number, thread: number, first: number, end: number): number;
  pack(dtype: number, rows: number, inputs: number, panel: number): number;
  tileRows(): number;
  freeMemory(): number;
}

/**
 * The two builds: `relaxed` is faster, `plain` gives the same bits on every processor.
 */
export type Build = "relaxed" | "plain";

/** The fastest build that this host can run. */
export function bestBuild(): Build {
  return WebAssembly.validate(relaxedWasm) ? "relaxed" : "plain";
}

const modules = new Map<Build, WebAssembly.Module>();

/** The compiled kernels. */
export function kernelModule(build: Build): WebAssembly.Module {
  let module = modules.get(build);
  if (!module) {
    module = new WebAssembly.Module(build === "relaxed" ? relaxedWasm : plainWasm);
    modules.set(build, module);
  }
  return module;
}

/** The kernels on a memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}
