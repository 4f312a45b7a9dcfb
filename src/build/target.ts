import type { BundledFile } from "./bundle.ts";
import type { BuiltSettings } from "./built_settings.ts";

/** What a target of `deno task build` is made of. */
export interface TargetOptions {
  /** Where the files go. */
  readonly out: string;
  readonly model: BundledFile;
  readonly decode: BuiltSettings["decode"];
  /** Whether onnxruntime-web is included. */
  readonly withOnnxruntime: boolean;
  /** Whether the function `index` is made, too. */
  readonly withIndex: boolean;
}

/** What a target is. */
export interface BuiltTarget {
  /** Files by their paths below `out`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** How to run or deploy it, in a few words. */
  readonly nextStep: string;
  /** The command of that step. */
  readonly command?: readonly string[];
}
