import type { KeepOptions } from "../../vit_msn/patch_dropping.ts";
import { numberOption, type Options, type OptionValues, UsageError } from "../command.ts";

/** The options of commands that can drop patches. */
export const KEEP_OPTIONS = {
  "keep-patches": {
    value: "R",
    help: "Use only this share of each image's patches, above 0 and up to 1: faster, less accurate",
  },
  seed: {
    value: "S",
    help: "With --keep-patches: the random seed of the choice, an integer of at least 0; default 0",
  },
} as const satisfies Options;

/** Parses `--keep-patches` and `--seed`. */
export function keepOptions(values: OptionValues<typeof KEEP_OPTIONS>): KeepOptions {
  const given = values["keep-patches"];
  const keepPatches = numberOption("keep-patches", given, { otherwise: 1, min: 0, max: 1 });
  if (keepPatches === 0) throw new UsageError("--keep-patches is 0, not a number above 0");
  const seed = numberOption("seed", values.seed, { otherwise: 0, min: 0, integer: true });
  if (values.seed !== undefined && given === undefined) {
    throw new UsageError("--seed requires --keep-patches");
  }
  return { keepPatches, seed };
}
