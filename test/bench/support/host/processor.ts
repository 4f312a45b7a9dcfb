import { sharedMemory } from "../../../../src/runtime/simd/arena.ts";
import { bestBuild, instantiate, kernelModule } from "../../../../src/runtime/simd/kernels.ts";
import { Dot } from "../../../../src/runtime/simd/structs.ts";

/** The processor that a benchmark ran on. */
export interface Processor {
  /** Its model name, family and model, or `unknown`. */
  readonly processor: string;
  /**
   * The extensions that multiply 8-bit numbers in one instruction, `none` or `unknown`. V8 only uses
   * `avx_vnni`, not `avx512_vnni`.
   */
  readonly vnni: string;
  /** How the int8 kernels multiply here; `plain` without relaxed SIMD. */
  readonly kernel: "single" | "pairwise" | "plain";
}

/** Asks the system about the processor, and the kernels how they multiply on it. */
export async function readProcessor(): Promise<Processor> {
  return { ...parseCpuInfo(await readCpuInfo()), kernel: chosenKernel() };
}

/**
 * Reads the first processor of Linux's /proc/cpuinfo. What the text does not say is `unknown`.
 */
export function parseCpuInfo(text: string): Pick<Processor, "processor" | "vnni"> {
  const valueOf = (key: string) => new RegExp(`^${key}\\s*: *(.+)$`, "m").exec(text)?.[1]?.trim();
  const name = valueOf("model name");
  const family = valueOf("cpu family");
  const model = valueOf("model");
  const flags = valueOf("flags")?.split(/\s+/);
  const found = flags?.filter((flag) => flag === "avx_vnni" || flag === "avx512_vnni");
  return {
    processor: name && family && model
      ? `${name}, family ${family}, model ${model}`
      : name ?? "unknown",
    vnni: found ? found.join(", ") || "none" : "unknown",
  };
}

/** By `cat`, because Deno reads /proc itself only with all permissions. */
async function readCpuInfo(): Promise<string> {
  if (Deno.build.os !== "linux") return "";
  try {
    const { stdout } = await new Deno.Command("cat", { args: ["/proc/cpuinfo"], stderr: "null" })
      .output();
    return new TextDecoder().decode(stdout);
  } catch {
    return "";
  }
}

function chosenKernel(): Processor["kernel"] {
  if (bestBuild() === "plain") return "plain";
  const dot = instantiate(kernelModule("relaxed"), sharedMemory()).dot();
  return dot === Dot.SINGLE ? "single" : "pairwise";
}
