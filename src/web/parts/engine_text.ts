import type { Engine } from "../messages.ts";

/** What computes, in a few words. */
export function engineText({ kernels, threads }: Engine): string {
  const simd = kernels === "relaxed" ? "relaxed SIMD" : "plain SIMD";
  return `WebAssembly, ${simd}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
}
